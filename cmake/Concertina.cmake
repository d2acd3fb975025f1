# How every folder of the project is built.

include(GoogleTest)

add_library(concertina_options INTERFACE)
target_include_directories(concertina_options
                           INTERFACE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)
target_link_libraries(concertina_options INTERFACE fmt::fmt Threads::Threads)
target_compile_options(concertina_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Werror)
if(CONCERTINA_SANITIZE)
  target_compile_definitions(concertina_options INTERFACE CONCERTINA_SANITIZED)
  target_compile_options(concertina_options INTERFACE
    -fsanitize=${CONCERTINA_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(concertina_options INTERFACE -fsanitize=${CONCERTINA_SANITIZE})
endif()
if(CONCERTINA_FUZZ)
  target_compile_options(concertina_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

# For code that runs once for a model: the library that other programs link is to stay below 3 MB.
set(concertina_small "")
if(CMAKE_BUILD_TYPE STREQUAL Release AND NOT CONCERTINA_SANITIZE)
  set(concertina_small -Os -ffunction-sections -fdata-sections)
endif()

# src/arrows.txt says which folders of src/ there are and which others each may include.
set(arrows_file ${PROJECT_SOURCE_DIR}/src/arrows.txt)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${arrows_file})
file(STRINGS ${arrows_file} arrows REGEX "^[a-z]+:")
set(concertina_folders "")
foreach(arrow IN LISTS arrows)
  string(REGEX MATCH "^([a-z]+):(.*)$" arrow "${arrow}")
  set(folder ${CMAKE_MATCH_1})
  string(REGEX MATCHALL "[a-z]+" may_include "${CMAKE_MATCH_2}")
  list(APPEND concertina_folders ${folder})
  set(concertina_${folder}_may_include ${may_include})
  # All that it includes, through others too: of the folders above it in the file.
  set(concertina_${folder}_needs ${may_include})
  foreach(other IN LISTS may_include)
    list(APPEND concertina_${folder}_needs ${concertina_${other}_needs})
  endforeach()
  list(REMOVE_DUPLICATES concertina_${folder}_needs)
endforeach()

# concertina_library(graph): the library concertina_graph of the folder that calls this, of all its sources but
# tests, benchmarks, main.cc and those of inner folders with a CMakeLists.txt: these are libraries of their own,
# which nothing links without saying so. It links what src/arrows.txt lets the folder include, and the LIBRARIES.
#   SMALL         compiled for size, as all that runs once for a model
#   SMALL_FILES   only these are
function(concertina_library name)
  cmake_parse_arguments(arg "SMALL" "" "SMALL_FILES;LIBRARIES" ${ARGN})
  concertina_sources(sources "*.cc")
  list(FILTER sources EXCLUDE REGEX "(_test|_bench|^main)\\.cc$")
  file(GLOB inner CONFIGURE_DEPENDS RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} */CMakeLists.txt)
  foreach(folder IN LISTS inner)
    get_filename_component(folder ${folder} DIRECTORY)
    list(FILTER sources EXCLUDE REGEX "^${folder}/")
  endforeach()
  list(REMOVE_ITEM sources ${arg_SMALL_FILES})
  add_library(concertina_${name} STATIC ${sources})
  list(TRANSFORM concertina_${name}_may_include PREPEND concertina_ OUTPUT_VARIABLE folders)
  target_link_libraries(concertina_${name} PUBLIC concertina_options ${folders} PRIVATE ${arg_LIBRARIES})
  if(arg_SMALL)
    target_compile_options(concertina_${name} PRIVATE ${concertina_small})
  endif()
  if(arg_SMALL_FILES)
    # A library of its own, because files with options of their own are left out of a unity build.
    add_library(concertina_${name}_small OBJECT ${arg_SMALL_FILES})
    target_link_libraries(concertina_${name}_small PUBLIC concertina_options ${folders} PRIVATE ${arg_LIBRARIES})
    target_compile_options(concertina_${name}_small PRIVATE ${concertina_small})
    target_sources(concertina_${name} PRIVATE $<TARGET_OBJECTS:concertina_${name}_small>)
  endif()
endfunction()

# concertina_sources(sources "*_test.cc"): the files below the calling folder with such a name.
function(concertina_sources result pattern)
  file(GLOB_RECURSE found CONFIGURE_DEPENDS RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} ${pattern})
  set(${result} ${found} PARENT_SCOPE)
endfunction()

# concertina_tests(graph): the program concertina_graph_test of all *_test.cc below the folder. Every test may
# use src/testing.
#   LIBRARIES     what it links besides
#   PCH_FROM      a target whose precompiled header it shares
function(concertina_tests name)
  if(NOT CONCERTINA_TESTS)
    return()
  endif()
  if(CONCERTINA_TESTED AND NOT name IN_LIST CONCERTINA_TESTED)
    return()
  endif()
  cmake_parse_arguments(arg "" "PCH_FROM" "LIBRARIES" ${ARGN})
  concertina_sources(sources "*_test.cc")
  concertina_test_program(concertina_${name}_test ${name} SOURCES ${sources}
                          LIBRARIES concertina_${name} concertina_testing ${arg_LIBRARIES})
  # What takes time is in the libraries, and building tests quickly is worth more than their speed.
  target_compile_options(concertina_${name}_test PRIVATE $<$<CONFIG:Release>:-O1>)
  if(arg_PCH_FROM)
    # That of a library, which is compiled with -fPIC where a program is with -fPIE.
    set_target_properties(concertina_${name}_test PROPERTIES POSITION_INDEPENDENT_CODE OFF)
    target_compile_options(concertina_${name}_test PRIVATE -fPIC)
    target_precompile_headers(concertina_${name}_test REUSE_FROM ${arg_PCH_FROM})
  else()
    target_precompile_headers(concertina_${name}_test PRIVATE
      $<$<COMPILE_LANGUAGE:CXX>:<gmock/gmock.h$<ANGLE-R>>
      $<$<COMPILE_LANGUAGE:CXX>:<gtest/gtest.h$<ANGLE-R>>)
  endif()
endfunction()

# concertina_test_program(TARGET graph SOURCES ... LIBRARIES ...): a program of tests. ctest knows each of
# them as graph/TEST, with the label graph.
function(concertina_test_program target group)
  cmake_parse_arguments(arg "" "" "SOURCES;LIBRARIES" ${ARGN})
  add_executable(${target} ${arg_SOURCES})
  target_link_libraries(${target} PRIVATE ${arg_LIBRARIES} nlohmann_json::nlohmann_json GTest::gmock
                                          GTest::gtest_main)
  target_compile_definitions(${target} PRIVATE CONCERTINA_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  gtest_discover_tests(${target} TEST_PREFIX ${CONCERTINA_TEST_PREFIX}${group}/ DISCOVERY_MODE PRE_TEST
                       PROPERTIES LABELS ${group})
endfunction()

# concertina_benchmarks(kernels): the program concertina_kernels_bench of all *_bench.cc below the folder.
function(concertina_benchmarks name)
  if(NOT CONCERTINA_BENCH)
    return()
  endif()
  concertina_sources(sources "*_bench.cc")
  add_executable(concertina_${name}_bench ${sources})
  target_link_libraries(concertina_${name}_bench PRIVATE concertina_${name} benchmark::benchmark_main)
endfunction()
