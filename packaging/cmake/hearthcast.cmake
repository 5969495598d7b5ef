# The build's few verbs: hearthcast_library, hearthcast_program, hearthcast_test, hearthcast_fuzz.

add_library(hearthcast_options INTERFACE)
target_include_directories(hearthcast_options INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_definitions(hearthcast_options INTERFACE HEARTHCAST_VERSION="${PROJECT_VERSION}")
target_compile_options(hearthcast_options INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow $<$<BOOL:${HEARTHCAST_WERROR}>:-Werror>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 reports false overflows inside the standard library when sanitizers or -O2 inline it.
  target_compile_options(hearthcast_options INTERFACE
    -Wno-maybe-uninitialized -Wno-stringop-overflow -Wno-array-bounds -Wno-restrict -Wno-stringop-overread)
endif()
if(HEARTHCAST_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # Asio's fences, which TSan cannot see; Asio guards what they order by a mutex as well.
  target_compile_options(hearthcast_options INTERFACE -Wno-tsan)
endif()
if(HEARTHCAST_SANITIZE)
  # For every target, ours or not: one address space has one runtime.
  add_compile_options(-fsanitize=${HEARTHCAST_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${HEARTHCAST_SANITIZE})
  if(HEARTHCAST_SANITIZE MATCHES "undefined")
    # A null pointer ends the program anyway, and ASan says where: its check at every access only costs time.
    # The check of vptr opens a pipe, and takes it for a fault of the program when there is no descriptor left.
    add_compile_options(-fno-sanitize-recover=undefined -fno-sanitize=null,vptr)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
      # clang 14 cannot assemble its check of function types in front of coroutines.
      add_compile_options(-fno-sanitize=function)
    endif()
  endif()
endif()
if(HEARTHCAST_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
# UBSan belongs to what is tested; in GoogleTest's own templates it doubles the time to compile a test.
set(HEARTHCAST_TEST_OPTIONS -fno-sanitize=undefined)
find_program(HEARTHCAST_CCACHE ccache)
if(HEARTHCAST_CCACHE)
  # The cache knows a file by its content, wherever the clone lies. It asks to be told that a precompiled header may
  # hold __TIME__ and macros of the command line; ours hold neither.
  set(CMAKE_CXX_COMPILER_LAUNCHER env CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1 CCACHE_DEPEND=1
    CCACHE_SLOPPINESS=pch_defines,time_macros ${HEARTHCAST_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${CMAKE_CXX_COMPILER_LAUNCHER})
endif()
include(packaging/cmake/precompiled.cmake)

# hearthcast_folders(ROOT folder...): adds the subfolders of ROOT that hold a CMakeLists.txt.
function(hearthcast_folders root)
  foreach(folder ${ARGN})
    if(EXISTS ${PROJECT_SOURCE_DIR}/${root}/${folder}/CMakeLists.txt)
      add_subdirectory(${root}/${folder})
    endif()
  endforeach()
endfunction()

# hearthcast_library(NAME SOURCES a.cpp... DEPENDS lib...): one static library for the current folder.
# DEPENDS names libraries of this project or imported targets; they are what the folder may see.
function(hearthcast_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPENDS" ${ARGN})
  add_library(${name} STATIC ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE hearthcast_options PUBLIC ${arg_DEPENDS})
  hearthcast_use_precompiled(${name} product)
endfunction()

# hearthcast_program(NAME SOURCES a.cpp... DEPENDS lib...): one program in build/.../bin.
function(hearthcast_program name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPENDS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE hearthcast_options ${arg_DEPENDS})
  hearthcast_use_precompiled(${name} product)
  set_property(GLOBAL APPEND PROPERTY HEARTHCAST_PROGRAMS ${name})
endfunction()

# hearthcast_test(NAME LABEL SOURCES a_test.cpp... DEPENDS lib...): one GoogleTest program, one CTest entry.
function(hearthcast_test name label)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPENDS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE hearthcast_options ${arg_DEPENDS} GTest::gmock GTest::gtest_main)
  target_compile_options(${name} PRIVATE ${HEARTHCAST_TEST_OPTIONS})
  hearthcast_use_precompiled(${name} tests)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  add_test(NAME ${label}.${name} COMMAND ${name} --gtest_brief=1
           WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(${label}.${name} PROPERTIES LABELS ${label} TIMEOUT 400)
endfunction()

# hearthcast_fuzz(NAME SOURCES x_fuzz.cpp DEPENDS lib...): the corpus in tests/fuzz/corpus/NAME is replayed as a
# test in every build; with HEARTHCAST_FUZZ the same source becomes a libFuzzer target.
function(hearthcast_fuzz name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPENDS" ${ARGN})
  if(HEARTHCAST_FUZZ)
    add_executable(fuzz_${name} ${arg_SOURCES})
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  else()
    add_executable(fuzz_${name} ${arg_SOURCES} ${PROJECT_SOURCE_DIR}/tests/fuzz/replay.cpp)
    add_test(NAME fuzz.${name} COMMAND fuzz_${name} ${PROJECT_SOURCE_DIR}/tests/fuzz/corpus/${name})
    set_tests_properties(fuzz.${name} PROPERTIES LABELS fuzz TIMEOUT 400)
  endif()
  target_link_libraries(fuzz_${name} PRIVATE hearthcast_options ${arg_DEPENDS})
  hearthcast_use_precompiled(fuzz_${name} product)
  set_target_properties(fuzz_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzz)
endfunction()
