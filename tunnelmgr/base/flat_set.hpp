// A set of few small values, in order and in one block of memory: for sets that a program has by the
// thousand. A node of std::set takes 64 octets for an address of 17, and as many allocations as there are
// values.
//
// Inserting and erasing move what lies behind, so it is not for large sets that change much. Any change
// invalidates iterators.
#pragma once

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <utility>
#include <vector>

namespace hearthcast {

template <class T>
class FlatSet {
 public:
  using value_type = T;
  using size_type = std::size_t;
  using const_iterator = typename std::vector<T>::const_iterator;
  using iterator = const_iterator;

  FlatSet() = default;
  FlatSet(std::initializer_list<T> values) : FlatSet(values.begin(), values.end()) {}
  template <std::input_iterator First, std::sentinel_for<First> Last>
  FlatSet(First first, Last last) {
    for (; first != last; ++first) {
      values_.push_back(*first);
    }
    std::ranges::sort(values_);
    values_.erase(std::unique(values_.begin(), values_.end()), values_.end());
  }

  [[nodiscard]] const_iterator begin() const { return values_.begin(); }
  [[nodiscard]] const_iterator end() const { return values_.end(); }
  [[nodiscard]] size_type size() const { return values_.size(); }
  [[nodiscard]] bool empty() const { return values_.empty(); }

  [[nodiscard]] const_iterator find(const T& value) const {
    const auto at = std::ranges::lower_bound(values_, value);
    return at != values_.end() && *at == value ? at : values_.end();
  }
  [[nodiscard]] bool contains(const T& value) const { return find(value) != end(); }

  // Where it is now, and whether it is new.
  std::pair<const_iterator, bool> insert(const T& value) {
    const auto at = std::ranges::lower_bound(values_, value);
    if (at != values_.end() && *at == value) {
      return {at, false};
    }
    return {values_.insert(at, value), true};
  }
  const_iterator insert(const_iterator /*hint*/, const T& value) { return insert(value).first; }
  template <std::input_iterator First, std::sentinel_for<First> Last>
  void insert(First first, Last last) {
    for (; first != last; ++first) {
      insert(*first);
    }
  }

  size_type erase(const T& value) {
    const auto at = find(value);
    if (at == end()) {
      return 0;
    }
    values_.erase(at);
    return 1;
  }
  const_iterator erase(const_iterator at) { return values_.erase(at); }
  void clear() { values_.clear(); }

  friend bool operator==(const FlatSet&, const FlatSet&) = default;

 private:
  std::vector<T> values_;
};

}  // namespace hearthcast
