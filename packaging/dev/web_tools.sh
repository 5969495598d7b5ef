# shellcheck shell=bash
# What building and testing the web page share. The tools need Node 22, Debian 12's own is 18: `npm ci` runs under
# whatever Node npm has, and brings the pinned one (package node-linux-ARCH) that runs everything else.

web_node() {
  local arch
  case $(uname -m) in
    x86_64) arch=x64 ;;
    aarch64) arch=arm64 ;;
    *) echo "webui: no Node 22 is pinned for $(uname -m); add it to webui/package.json" >&2; return 1 ;;
  esac
  echo "$PWD/webui/node_modules/node-linux-$arch/bin/node"
}

# web_install: node_modules as package-lock.json says; nothing to do when they are.
web_install() {
  local lock stamp=webui/node_modules/.hearthcast
  lock=$(sha256sum < webui/package-lock.json)
  [ "$(cat "$stamp" 2> /dev/null)" = "$lock" ] && return 0
  command -v npm > /dev/null || { echo "webui: npm is missing (Debian packages nodejs and npm)" >&2; return 1; }
  say "installing the web page's tools"
  (cd webui && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) > build/web-install.log 2>&1 ||
    { tail -20 build/web-install.log >&2; return 1; }
  echo "$lock" > "$stamp"
}

# web_tool NAME ARG...: runs node_modules/.bin/NAME under the pinned Node, in webui/.
web_tool() {
  local node tool=$1
  shift
  node=$(web_node) || return 1
  # Tools that start Node themselves (workers, child processes) find the same one.
  (cd webui && PATH=${node%/*}:$PATH "$node" "node_modules/.bin/$tool" "$@")
}

# web_sources: one hash over everything that the built page depends on.
web_sources() {
  { find webui -type f -not -path 'webui/node_modules/*' -not -path 'webui/dist/*' -not -path 'webui/tests/*' \
      -not -name openapi.d.ts -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
    sha256sum appliance/api/openapi.yaml packaging/dev/web_tools.sh; } | sha256sum
}

web_types() {
  web_tool openapi-typescript ../appliance/api/openapi.yaml --output src/api/openapi.d.ts > build/web-types.log 2>&1 ||
    { cat build/web-types.log >&2; return 1; }
}
