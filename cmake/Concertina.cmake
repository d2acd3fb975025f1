# How every folder of the project is built.

include(GoogleTest)

add_library(concertina_options INTERFACE)
target_include_directories(concertina_options INTERFACE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)
target_compile_options(concertina_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Werror)
if(CONCERTINA_SANITIZE)
  target_compile_definitions(concertina_options INTERFACE CONCERTINA_SANITIZED)
  target_compile_options(concertina_options INTERFACE -fsanitize=${CONCERTINA_SANITIZE} -fno-sanitize-recover=all
                                                      -fno-omit-frame-pointer)
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

# concertina_library(graph SOURCES a.cc b.cc DEPENDS concertina_base): the static library concertina_graph of one folder.
function(concertina_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPENDS;PRIVATE_DEPENDS" ${ARGN})
  add_library(concertina_${name} STATIC ${arg_SOURCES})
  target_link_libraries(concertina_${name} PUBLIC concertina_options ${arg_DEPENDS} PRIVATE ${arg_PRIVATE_DEPENDS})
endfunction()

# concertina_tests(graph SOURCES a_test.cc): the program concertina_graph_test, each of its tests known to ctest.
function(concertina_tests name)
  if(NOT CONCERTINA_TESTS)
    return()
  endif()
  if(CONCERTINA_TESTED AND NOT name IN_LIST CONCERTINA_TESTED)
    return()
  endif()
  cmake_parse_arguments(arg "" "" "SOURCES;DEPENDS" ${ARGN})
  add_executable(concertina_${name}_test ${arg_SOURCES})
  target_link_libraries(concertina_${name}_test PRIVATE concertina_${name} ${arg_DEPENDS} GTest::gmock GTest::gtest_main)
  # What takes time is in the libraries, and building tests quickly is worth more than their speed.
  target_compile_options(concertina_${name}_test PRIVATE $<$<CONFIG:Release>:-O1>)
  target_precompile_headers(concertina_${name}_test PRIVATE $<$<COMPILE_LANGUAGE:CXX>:<gmock/gmock.h$<ANGLE-R>>
                                                            $<$<COMPILE_LANGUAGE:CXX>:<gtest/gtest.h$<ANGLE-R>>)
  gtest_discover_tests(concertina_${name}_test TEST_PREFIX ${CONCERTINA_TEST_PREFIX}${name}/ DISCOVERY_MODE PRE_TEST PROPERTIES LABELS ${name})
endfunction()

# concertina_benchmarks(kernels SOURCES a_bench.cc): the program concertina_kernels_bench.
function(concertina_benchmarks name)
  if(NOT CONCERTINA_BENCH)
    return()
  endif()
  cmake_parse_arguments(arg "" "" "SOURCES;DEPENDS" ${ARGN})
  add_executable(concertina_${name}_bench ${arg_SOURCES})
  target_link_libraries(concertina_${name}_bench PRIVATE concertina_${name} ${arg_DEPENDS} benchmark::benchmark_main)
endfunction()

# concertina_fuzz_target(onnx DEPENDS concertina_onnx): the libFuzzer program of NAME_fuzz.cc in the calling folder.
function(concertina_fuzz_target name)
  cmake_parse_arguments(arg "" "" "DEPENDS" ${ARGN})
  add_executable(concertina_${name}_fuzz ${name}_fuzz.cc)
  target_link_libraries(concertina_${name}_fuzz PRIVATE concertina_options ${arg_DEPENDS})
  target_link_options(concertina_${name}_fuzz PRIVATE -fsanitize=fuzzer)
endfunction()

