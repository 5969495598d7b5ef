// The away client's data thread in tests, with the box's end of its tunnel and players' ends of its sockets.
#pragma once

#include <gmock/gmock.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <deque>
#include <memory>
#include <utility>

#include "tests/unit/datapath/established.hpp"
#include "tests/unit/datapath/plane_in_test.hpp"
#include "tests/unit/datapath/screen.hpp"
#include "tunnelmgr/away/data_plane.hpp"
#include "tunnelmgr/base/text.hpp"
#include "tunnelmgr/tunnel/compact_framing.hpp"
#include "tunnelmgr/tunnel/flow_framing.hpp"
#include "tunnelmgr/tunnel/unnumbered_framing.hpp"

namespace hearthcast::away {

using datapath::kLoopback;
using datapath::kPatience;
using datapath::readable;

inline const Endpoint kSource = *Endpoint::parse("192.0.2.1:1234");
inline const FlowKey kFlow{std::nullopt, *IpAddress::parse("239.77.1.2"), 5004};
inline const FlowKey kOther{std::nullopt, *IpAddress::parse("239.77.1.3"), 5004};

// The box's end of the tunnel.
class Box {
 public:
  datapath::AddSession session(int peer) {
    auto ends = datapath::Established::make();
    session_ = std::move(ends.server);
    return {PeerId{peer}, {kLoopback, socket_.port()}, std::move(ends.client)};
  }
  void send(const Endpoint& to, Bytes gre) { (void)socket_.send(to, datapath::seal(*session_, gre)); }
  // One datagram of a channel as media; lost: framed, but not sent.
  void send_media(const Endpoint& to, tunnel::FlowFramer& framer, Bytes payload, bool lost = false,
                  std::uint8_t traffic_class = 0) {
    Buffer slot(tunnel::kFrameHeadroom);
    slot.insert(slot.end(), payload.begin(), payload.end());
    const auto frame = framer.frame(slot, {kSource, 16, traffic_class});
    ASSERT_TRUE(frame);
    if (!lost) {
      send(to, *frame);
    }
  }
  // What the client sends next inside the tunnel; empty when nothing comes.
  Buffer receive(Duration patience = kPatience) {
    const Time end = Clock::now() + patience;
    while (waiting_.empty() && Clock::now() < end) {
      pollfd ready{socket_.fd(), POLLIN, 0};
      (void)::poll(&ready, 1, 20);
      for (const auto& record : socket_.receive(batch_).datagrams) {
        Buffer plaintext(secure::kDtlsMaxPlaintext);
        if (const auto size = session_->open(record.payload, plaintext)) {
          plaintext.resize(*size);
          waiting_.push_back(std::move(plaintext));
        }
      }
    }
    if (waiting_.empty()) {
      return {};
    }
    Buffer first = std::move(waiting_.front());
    waiting_.pop_front();
    return first;
  }
  // The same in a compact form; its fragments perhaps the second first.
  void send_compact(const Endpoint& to, tunnel::FlowFramer& framer, Bytes payload, tunnel::MediaForm form,
                    bool reversed = false) {
    Buffer slot(tunnel::kFrameHeadroom);
    slot.insert(slot.end(), payload.begin(), payload.end());
    const auto frame = framer.frame(slot, {kSource, 16, 0});
    ASSERT_TRUE(frame);
    Buffer room(tunnel::kCompactRoom);
    auto made = tunnel::to_compact(*frame, form, room);
    ASSERT_TRUE(made);
    if (reversed && made->count == 2) {
      std::swap(made->packets[0], made->packets[1]);
    }
    for (std::size_t i = 0; i < made->count; ++i) {
      send(to, made->packets[i]);
    }
  }
  // The same without numbers.
  void send_unnumbered(const Endpoint& to, tunnel::FlowFramer& framer, Bytes payload, tunnel::Form form,
                       const Endpoint& source = kSource) {
    Buffer slot(tunnel::kFrameHeadroom);
    slot.insert(slot.end(), payload.begin(), payload.end());
    const auto frame = framer.frame(slot, {source, 16, 0});
    ASSERT_TRUE(frame);
    Buffer room(tunnel::unnumbered_size(form, frame->size()));
    send(to, tunnel::to_unnumbered(*frame, form, 1700000000, room));
  }
  // As a router on the way does it.
  void mark_congestion() {
    const int value = 3;
    EXPECT_EQ(::setsockopt(socket_.fd(), IPPROTO_IP, IP_TOS, &value, sizeof value), 0);
  }
  linux::UdpSocket socket_ = datapath::open_port();

 private:
  std::unique_ptr<secure::DtlsSession> session_;
  linux::ReceiveBatch batch_;
  std::deque<Buffer> waiting_;
};

// A player of the away client.
class Screen : public datapath::Screen {
 public:
  AddPlayer player(int id, int channel) { return {PlayerId{id}, ChannelId{channel}, socket()}; }
};

class AwayInTest : public testing::Test, protected datapath::PlaneInTest<DataPlane> {
 protected:
  AwayInTest() {
    post(box_.session(1));
    post(OpenStream{ChannelId{1}, kFlow});
    settle();
  }
  // Everything posted so far is done.
  void settle() {
    post(datapath::SendInner{PeerId{1}, *from_hex("000088b50101000000010000")});
    EXPECT_TRUE(readable(box_.socket_.fd()));
    (void)box_.socket_.receive(batch_);
  }
  void media(Bytes payload, bool lost = false) { box_.send_media(endpoint(), framer_, payload, lost); }

  Box box_;
  linux::ReceiveBatch batch_;
  tunnel::FlowFramer framer_{FlowId{9}, {kFlow.group, kFlow.port}};
};

inline Buffer datagram(int number) { return Buffer(1316, static_cast<std::uint8_t>(number)); }

}  // namespace hearthcast::away
