#include "appliance/api/web_assets.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

namespace hearthcast::api {
namespace {

using ::testing::EndsWith;
using ::testing::StartsWith;

TEST(WebAssets, TheRootIsIndexHtml) {
  const WebAsset* root = find_web_asset("/");
  ASSERT_NE(root, nullptr);
  EXPECT_EQ(root, find_web_asset("/index.html"));
  EXPECT_EQ(root->content_type, "text/html; charset=utf-8");
  EXPECT_FALSE(root->immutable) << "a browser would never see the next version";
}

TEST(WebAssets, EveryFileIsFoundByItsPath) {
  ASSERT_FALSE(web_assets().empty());
  EXPECT_TRUE(std::is_sorted(web_assets().begin(), web_assets().end(),
                             [](const WebAsset& a, const WebAsset& b) { return a.path < b.path; }));
  for (const WebAsset& asset : web_assets()) {
    EXPECT_EQ(find_web_asset(asset.path), &asset) << asset.path;
    EXPECT_THAT(std::string(asset.path), StartsWith("/"));
  }
}

TEST(WebAssets, EveryFileIsWholeGzipWithATagOfItsOwn) {
  std::set<std::string_view> etags;
  for (const WebAsset& asset : web_assets()) {
    ASSERT_GT(asset.gzip.size(), 18U) << asset.path;
    EXPECT_EQ(asset.gzip.substr(0, 3), "\x1f\x8b\x08") << asset.path;
    EXPECT_FALSE(asset.content_type.empty()) << asset.path;
    EXPECT_THAT(std::string(asset.etag), StartsWith("\""));
    EXPECT_THAT(std::string(asset.etag), EndsWith("\""));
    EXPECT_TRUE(etags.insert(asset.etag).second) << asset.path;
  }
}

TEST(WebAssets, OnlyNamesWithAHashAreCachedForEver) {
  for (const WebAsset& asset : web_assets()) {
    EXPECT_EQ(asset.immutable, asset.path.starts_with("/assets/")) << asset.path;
  }
}

TEST(WebAssets, WhatIsNotThereIsNotFound) {
  for (const char* path : {"", "index.html", "/index.htm", "/index.html/", "/../index.html", "/zzz", "//"}) {
    EXPECT_EQ(find_web_asset(path), nullptr) << path;
  }
}

}  // namespace
}  // namespace hearthcast::api
