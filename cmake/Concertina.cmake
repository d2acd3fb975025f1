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

# For code that runs once for a model: the library that other programs link is to stay below 3.3 MB.
set(concertina_small "")
if(CMAKE_BUILD_TYPE STREQUAL Release AND NOT CONCERTINA_SANITIZE)
  set(concertina_small -Os -ffunction-sections -fdata-sections)
endif()

# concertina_headers(NAME LIBRARIES ... OPTIONS ... HEADERS ...): headers that many files include, parsed once for all
# targets that reuse those of concertina_NAME and are compiled with the same options.
function(concertina_headers name)
  cmake_parse_arguments(arg "" "" "LIBRARIES;OPTIONS;HEADERS" ${ARGN})
  set(source ${PROJECT_BINARY_DIR}/empty.cc)
  if(NOT EXISTS ${source})
    file(WRITE ${source} "")
  endif()
  add_library(concertina_${name} OBJECT ${source})
  target_link_libraries(concertina_${name} PRIVATE concertina_options ${arg_LIBRARIES})
  target_compile_options(concertina_${name} PRIVATE ${arg_OPTIONS})
  target_precompile_headers(concertina_${name} PRIVATE ${arg_HEADERS})
endfunction()

set(headers <algorithm> <filesystem> <fmt/format.h> <functional> <map> <nlohmann/json.hpp> <string> <variant>)
concertina_headers(headers LIBRARIES nlohmann_json::nlohmann_json HEADERS ${headers})
concertina_headers(small_headers LIBRARIES nlohmann_json::nlohmann_json OPTIONS ${concertina_small} HEADERS ${headers})
set(concertina_test_options $<$<CONFIG:Release>:-O0>)
if(CONCERTINA_TESTS)
  concertina_headers(test_headers LIBRARIES nlohmann_json::nlohmann_json GTest::gmock OPTIONS ${concertina_test_options}
                     HEADERS <gmock/gmock.h> <gtest/gtest.h> ${headers})
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
#   HEADER        precompiled for this library alone, in place of those that the others share
#   NO_HEADERS    none are precompiled
function(concertina_library name)
  cmake_parse_arguments(arg "SMALL;NO_HEADERS" "HEADER" "SMALL_FILES;LIBRARIES" ${ARGN})
  concertina_sources(sources "*.cc")
  list(FILTER sources EXCLUDE REGEX "(_test|_bench|^main)\\.cc$")
  file(GLOB inner CONFIGURE_DEPENDS RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} */CMakeLists.txt)
  foreach(folder IN LISTS inner)
    get_filename_component(folder ${folder} DIRECTORY)
    list(FILTER sources EXCLUDE REGEX "^${folder}/")
  endforeach()
  list(REMOVE_ITEM sources ${arg_SMALL_FILES})
  list(TRANSFORM concertina_${name}_may_include PREPEND concertina_ OUTPUT_VARIABLE folders)
  add_library(concertina_${name} STATIC ${sources})
  target_link_libraries(concertina_${name} PUBLIC concertina_options ${folders} PRIVATE ${arg_LIBRARIES})
  if(arg_HEADER)
    target_precompile_headers(concertina_${name} PRIVATE ${arg_HEADER})
  elseif(concertina_simd IN_LIST arg_LIBRARIES)
    # Each file includes itself once for every instruction set.
    set_target_properties(concertina_${name} PROPERTIES UNITY_BUILD OFF)
  elseif(arg_SMALL)
    concertina_compile_small(concertina_${name})
  elseif(NOT arg_NO_HEADERS)
    target_precompile_headers(concertina_${name} REUSE_FROM concertina_headers)
  endif()
  if(arg_SMALL_FILES)
    # A library of its own, because a unity build leaves out files that have options of their own.
    add_library(concertina_${name}_small OBJECT ${arg_SMALL_FILES})
    target_link_libraries(concertina_${name}_small PRIVATE concertina_options ${folders} ${arg_LIBRARIES})
    concertina_compile_small(concertina_${name}_small)
    target_sources(concertina_${name} PRIVATE $<TARGET_OBJECTS:concertina_${name}_small>)
  endif()
endfunction()

function(concertina_compile_small target)
  target_compile_options(${target} PRIVATE ${concertina_small})
  target_precompile_headers(${target} REUSE_FROM concertina_small_headers)
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
#   STARTS_SLOWLY  see concertina_test_program()
function(concertina_tests name)
  if(NOT CONCERTINA_TESTS)
    return()
  endif()
  if(CONCERTINA_TESTED AND NOT name IN_LIST CONCERTINA_TESTED)
    return()
  endif()
  cmake_parse_arguments(arg "STARTS_SLOWLY" "PCH_FROM" "LIBRARIES" ${ARGN})
  concertina_sources(sources "*_test.cc")
  set(slow "")
  if(arg_STARTS_SLOWLY)
    set(slow STARTS_SLOWLY)
  endif()
  concertina_test_program(concertina_${name}_test ${name} ${slow} SOURCES ${sources} PCH_FROM ${arg_PCH_FROM}
                          LIBRARIES concertina_${name} concertina_testing ${arg_LIBRARIES})
endfunction()

# concertina_test_program(TARGET graph SOURCES ... LIBRARIES ...): a program of tests. ctest knows each of
# them as graph/TEST, with the label graph.
#   STARTS_SLOWLY  tests that differ in their parameter are one to ctest
function(concertina_test_program target group)
  cmake_parse_arguments(arg "STARTS_SLOWLY" "PCH_FROM" "SOURCES;LIBRARIES" ${ARGN})
  add_executable(${target} ${arg_SOURCES})
  target_link_libraries(${target} PRIVATE ${arg_LIBRARIES} nlohmann_json::nlohmann_json GTest::gmock
                                          GTest::gtest_main)
  target_compile_definitions(${target} PRIVATE CONCERTINA_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  set(options ${concertina_test_options})
  if(arg_PCH_FROM)
    # A header that was precompiled with optimisation is for code with optimisation only.
    set(options $<$<CONFIG:Release>:-O1>)
  else()
    set(arg_PCH_FROM concertina_test_headers)
  endif()
  target_precompile_headers(${target} REUSE_FROM ${arg_PCH_FROM})
  # What takes time is in the libraries, and building tests quickly is worth more than their speed. The headers are
  # compiled with -fPIC, programs would be with -fPIE.
  target_compile_options(${target} PRIVATE ${options} -fPIC)
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  if(arg_STARTS_SLOWLY)
    set(discovered ${CMAKE_CURRENT_BINARY_DIR}/${target}_by_name.cmake)
    file(GENERATE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/${target}_discover.cmake CONTENT
"set(PROGRAM [==[$<TARGET_FILE:${target}>]==])
set(OUT [==[${discovered}]==])
set(PREFIX [==[${CONCERTINA_TEST_PREFIX}${group}/]==])
set(LABEL ${group})
if(EXISTS \${PROGRAM})
  include([==[${PROJECT_SOURCE_DIR}/cmake/DiscoverByName.cmake]==])
  include([==[${discovered}]==])
else()
  add_test(${target}_NOT_BUILT ${target}_NOT_BUILT)
endif()
")
    set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${CMAKE_CURRENT_BINARY_DIR}/${target}_discover.cmake)
  else()
    gtest_discover_tests(${target} TEST_PREFIX ${CONCERTINA_TEST_PREFIX}${group}/ DISCOVERY_MODE PRE_TEST
                         PROPERTIES LABELS ${group})
  endif()
endfunction()

# concertina_benchmarks(kernels): the program concertina_kernels_bench of all *_bench.cc below the folder.
function(concertina_benchmarks name)
  if(NOT CONCERTINA_BENCH)
    return()
  endif()
  concertina_sources(sources "*_bench.cc")
  add_executable(concertina_${name}_bench ${sources})
  set_target_properties(concertina_${name}_bench PROPERTIES UNITY_BUILD OFF)
  target_link_libraries(concertina_${name}_bench PRIVATE concertina_${name} benchmark::benchmark_main)
endfunction()
