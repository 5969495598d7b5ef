#!/usr/bin/env bash
# web_assets.sh DIST MISSING OUT: writes OUT/web_assets.cpp, a table of the files in DIST, each gzipped into OUT and
# taken in by .incbin. Without DIST/index.html the table holds MISSING alone, as /index.html.
set -euo pipefail
dist=$1 missing=$2 out=$3
export LC_ALL=C

content_type() {
  case $1 in
    *.html) echo 'text/html; charset=utf-8' ;;
    *.js) echo 'text/javascript; charset=utf-8' ;;
    *.css) echo 'text/css; charset=utf-8' ;;
    *.svg) echo 'image/svg+xml' ;;
    *.png) echo 'image/png' ;;
    *.woff2) echo 'font/woff2' ;;
    *.json | *.webmanifest) echo 'application/json' ;;
    *.txt) echo 'text/plain; charset=utf-8' ;;
    *) echo "web_assets: no content type is known for $1; add it here" >&2; return 1 ;;
  esac
}

rm -rf "$out"
mkdir -p "$out"
if [ -f "$dist/index.html" ]; then
  mapfile -t files < <(cd "$dist" && find . -type f ! -name '.*' -printf '%P\n' | sort)
else
  dist=$out/missing
  mkdir -p "$dist"
  cp "$missing" "$dist/index.html"
  files=(index.html)
fi

blobs='' table='' symbols=''
for i in "${!files[@]}"; do
  file=${files[$i]}
  gzip -9nc "$dist/$file" > "$out/$i.gz"
  size=$(stat -c %s "$out/$i.gz")
  type=$(content_type "$file")
  etag=$(sha256sum "$dist/$file" | cut -c1-32)
  # Vite puts a hash into the name of everything in assets/.
  case $file in assets/*) immutable=true ;; *) immutable=false ;; esac
  blobs+="__asm__(\".section .rodata\\n.globl hearthcast_web_asset_$i\\n.hidden hearthcast_web_asset_$i\\n\""$'\n'
  blobs+="        \"hearthcast_web_asset_$i:\\n.incbin \\\"$out/$i.gz\\\"\\n.previous\\n\");"$'\n'
  symbols+="extern const char hearthcast_web_asset_${i}[];"$'\n'
  table+="    WebAsset{\"/$file\", \"$type\", {hearthcast_web_asset_$i, $size}, \"\\\"$etag\\\"\", $immutable},"$'\n'
done

cat > "$out/web_assets.cpp" <<CPP
// Made by packaging/cmake/web_assets.sh.
#include "appliance/api/web_assets.hpp"

#include <algorithm>
#include <array>

$blobs
extern "C" {
$symbols}

namespace hearthcast::api {
namespace {

const std::array kAssets{
$table};

}  // namespace

std::span<const WebAsset> web_assets() { return kAssets; }

const WebAsset* find_web_asset(std::string_view path) {
  if (path == "/") { path = "/index.html"; }
  const auto at = std::lower_bound(kAssets.begin(), kAssets.end(), path,
                                   [](const WebAsset& asset, std::string_view wanted) { return asset.path < wanted; });
  return at != kAssets.end() && at->path == path ? &*at : nullptr;
}

}  // namespace hearthcast::api
CPP
