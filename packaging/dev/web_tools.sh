# shellcheck shell=bash
# What building and testing the web page share. The tools need Node 22, Debian 12's own is 18. So the machine's npm
# first brings a pinned Node and npm (webui/toolchain), and these bring and run everything else: an npm under Node 18
# would silently leave out the compiled parts of tools that ask for a newer one.

web_node() {
  local arch
  case $(uname -m) in
    x86_64) arch=x64 ;;
    aarch64) arch=arm64 ;;
    *) echo "webui: no Node 22 is pinned for $(uname -m); add it to webui/toolchain/package.json" >&2; return 1 ;;
  esac
  echo "$PWD/webui/toolchain/node_modules/node-linux-$arch/bin/node"
}

# npm_ci FOLDER CHECK NPM...: node_modules of the folder as its package-lock.json says; nothing to do when they are.
# npm passes over a compiled part that it could not fetch without a word, so CHECK tries them; a slow network gets
# three chances.
npm_ci() {
  local folder=$1 check=$2 stamp=$1/node_modules/.hearthcast lock attempt
  shift 2
  lock=$(sha256sum < "$folder/package-lock.json")
  [ "$(cat "$stamp" 2> /dev/null)" = "$lock" ] && return 0
  for attempt in 1 2 3; do
    if (cd "$folder" && "$@" ci --ignore-scripts --no-audit --no-fund --loglevel=error && "$check") \
      > build/web-install.log 2>&1; then
      echo "$lock" > "$stamp"
      return 0
    fi
    echo "webui: attempt $attempt of 3 to fetch the tools of $folder failed" >&2
  done
  tail -20 build/web-install.log >&2
  return 1
}

node_runs() { "$node" --version; }
tools_run() { "$node" --input-type=module --eval 'await import("rolldown"); await import("lightningcss");'; }

web_install() {
  local node global
  command -v npm > /dev/null || { echo "webui: npm is missing (Debian packages nodejs and npm)" >&2; return 1; }
  node=$(web_node) || return 1
  # The pinned npm keeps to the machine's settings, and trusts what the machine trusts, as Debian's own Node does.
  global=$(npm config get globalconfig) || return 1
  if [ -f /etc/ssl/certs/ca-certificates.crt ]; then
    export NODE_EXTRA_CA_CERTS=${NODE_EXTRA_CA_CERTS:-/etc/ssl/certs/ca-certificates.crt}
  fi
  npm_ci webui/toolchain node_runs npm &&
    PATH=${node%/*}:$PATH npm_config_globalconfig=$global \
      npm_ci webui tools_run "$node" "$PWD/webui/toolchain/node_modules/npm/bin/npm-cli.js"
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
  { find webui -type f -not -path '*/node_modules/*' -not -path 'webui/dist/*' -not -path 'webui/tests/*' \
      -not -name openapi.d.ts -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
    sha256sum appliance/api/openapi.yaml packaging/dev/web_tools.sh; } | sha256sum
}

# web_types: src/api/openapi.d.ts from the description of the API.
web_types() {
  web_tool openapi-typescript ../appliance/api/openapi.yaml --output src/api/openapi.d.ts > build/web-types.log 2>&1 ||
    { cat build/web-types.log >&2; return 1; }
}
