# The library web_assets: the files of webui/dist, gzipped, as a table in the program (appliance/api/web_assets.hpp).
# webui/dist is made by packaging/dev/webui.sh. Without it the table holds packaging/cmake/webui-missing.html, so
# the C++ build needs no Node.

set(web_assets_dir ${PROJECT_BINARY_DIR}/web_assets)
set(web_assets_script ${PROJECT_SOURCE_DIR}/packaging/cmake/web_assets.sh)
set(web_assets_missing ${PROJECT_SOURCE_DIR}/packaging/cmake/webui-missing.html)
file(GLOB_RECURSE web_assets_files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/webui/dist/*)

add_custom_command(
  OUTPUT ${web_assets_dir}/web_assets.cpp
  COMMAND bash ${web_assets_script} ${PROJECT_SOURCE_DIR}/webui/dist ${web_assets_missing} ${web_assets_dir}
  DEPENDS ${web_assets_script} ${web_assets_missing} ${web_assets_files}
  COMMENT "Packing the web page"
  VERBATIM)

add_library(web_assets STATIC ${web_assets_dir}/web_assets.cpp)
target_link_libraries(web_assets PRIVATE hearthcast_options)
