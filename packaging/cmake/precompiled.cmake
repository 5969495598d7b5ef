# What nearly every file includes, read once: packaging/cmake/{product,tests}_headers.hpp. For clang only (docs/decisions/014).
#
# ccache knows an object by the octets of the precompiled header, so these are the same in every clone: read from standard
# input and written to standard output in /, and without a time.

set(HEARTHCAST_PRECOMPILED ${CMAKE_BINARY_DIR}/precompiled)
file(MAKE_DIRECTORY ${HEARTHCAST_PRECOMPILED})

# hearthcast_precompile(NAME option...): makes precompiled/NAME.pch of NAME_headers.hpp, with the options that its users have.
function(hearthcast_precompile name)
  string(TOUPPER ${CMAKE_BUILD_TYPE} kind)
  separate_arguments(flags UNIX_COMMAND "${CMAKE_CXX_FLAGS} ${CMAKE_CXX_FLAGS_${kind}}")
  get_property(options DIRECTORY ${PROJECT_SOURCE_DIR} PROPERTY COMPILE_OPTIONS)
  set(headers ${PROJECT_SOURCE_DIR}/packaging/cmake/${name}_headers.hpp)
  set(output ${HEARTHCAST_PRECOMPILED}/${name}.pch)
  list(JOIN flags " " flags)
  list(JOIN options " " options)
  list(JOIN ARGN " " own)
  add_custom_command(OUTPUT ${output} DEPENDS ${headers} DEPFILE ${output}.d VERBATIM
    COMMENT "Reading ${name}_headers.hpp once"
    COMMAND sh -c "cd / && exec ${CMAKE_CXX_COMPILER} ${flags} ${options} ${own} -std=c++${CMAKE_CXX_STANDARD} \
-fpch-instantiate-templates -Xclang -fno-pch-timestamp -MD -MF ${output}.d -MT ${output} \
-x c++-header -o - - < ${headers} > ${output}")
  add_custom_target(precompiled_${name} DEPENDS ${output})
endfunction()

# hearthcast_use_precompiled(TARGET NAME): a relative path, so that clones share what ccache has.
function(hearthcast_use_precompiled target name)
  if(HEARTHCAST_PRECOMPILE)
    target_compile_options(${target} PRIVATE "$<$<COMPILE_LANGUAGE:CXX>:SHELL:-include-pch precompiled/${name}.pch>")
    add_dependencies(${target} precompiled_${name})
  endif()
endfunction()

if(HEARTHCAST_PRECOMPILE)
  hearthcast_precompile(product)
  if(HEARTHCAST_TESTS)
    hearthcast_precompile(tests ${HEARTHCAST_TEST_OPTIONS} -DGTEST_HAS_PTHREAD=1)
  endif()
endif()
