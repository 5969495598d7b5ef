#!/usr/bin/env bash
# webui: builds the web page into webui/dist, from where the box's build takes it in. A second run does nothing.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
# shellcheck source=packaging/dev/common.sh
. packaging/dev/common.sh
# shellcheck source=packaging/dev/web_tools.sh
. packaging/dev/web_tools.sh

exec 9> build/webui.lock
flock 9
sources=$(web_sources)
[ "$(cat webui/dist/.sources 2> /dev/null)" = "$sources" ] && exit 0
say "bringing the web page's tools, and building it"
web_install
web_types
web_tool vite build --logLevel warn
echo "$sources" > webui/dist/.sources
