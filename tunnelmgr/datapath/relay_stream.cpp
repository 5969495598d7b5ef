#include "tunnelmgr/datapath/relay_stream.hpp"

#include <cstring>
#include <utility>

namespace hearthcast::datapath {
namespace {

constexpr std::size_t kRead = std::size_t{32} << 10;
constexpr std::size_t kRecord = std::size_t{16} << 10;  // the largest that TLS has
constexpr int kReadsPerTurn = 4;

}  // namespace

RelayStream::RelayStream(linux::TcpStream socket, std::optional<secure::TlsStream> tls)
    : socket_(std::move(socket)), tls_(std::move(tls)), room_(kRead), opened_(kRecord) {}

void RelayStream::end(std::string reason) {
  state_ = State::kEnded;
  reason_ = std::move(reason);
  out_.clear();
  sent_ = 0;
}

void RelayStream::on_event(const linux::Epoll::Event& event, const Take& take) {
  if (state_ == State::kEnded) {
    return;
  }
  if (!connected_) {
    if (const int error = socket_.error(); error != 0) {
      end(std::string("no connection: ") + std::strerror(error));
      return;
    }
    if (!event.writable) {
      return;
    }
    connected_ = true;
    settle();
    flush();
  }
  if (event.readable) {
    read(take);
  }
  flush();
}

void RelayStream::read(const Take& take) {
  for (int n = 0; n < kReadsPerTurn && state_ != State::kEnded; ++n) {
    const auto came = socket_.read(room_);
    if (came.size != 0) {
      take_in(Bytes(room_).first(came.size), take);
    }
    if (came.state == linux::TcpStream::State::kEnded && state_ != State::kEnded) {
      end(came.error == 0 ? "the relay closed the connection" : std::strerror(came.error));
    }
    if (came.state != linux::TcpStream::State::kGoesOn) {
      return;
    }
  }
}

void RelayStream::take_in(Bytes octets, const Take& take) {
  if (tls_) {
    tls_->put(octets);
    while (const std::size_t size = tls_->read(opened_)) {
      reader_.put(Bytes(opened_).first(size));
      hand_out(take);
    }
  } else {
    reader_.put(octets);
    hand_out(take);
  }
  settle();
}

void RelayStream::hand_out(const Take& take) {
  while (const auto message = reader_.next()) {
    take(*message);
  }
}

// What has become of it.
void RelayStream::settle() {
  if (reader_.broken()) {
    end("what answers there is no TURN relay");
  } else if (tls_ && tls_->state() == secure::TlsState::kEnded) {
    tls_->take_output(out_);  // its last word says why
    flush();
    end(tls_->reason());
  } else if (connected_ && (!tls_ || tls_->state() == secure::TlsState::kEstablished)) {
    state_ = State::kOpen;
  }
}

bool RelayStream::queue(Bytes message) {
  if (state_ != State::kOpen || out_.size() - sent_ + message.size() > kMaxQueue) {
    return false;
  }
  if (sent_ > kMaxQueue) {
    out_.erase(out_.begin(), out_.begin() + static_cast<std::ptrdiff_t>(std::exchange(sent_, 0)));
  }
  Buffer& framed = tls_ ? framed_ : out_;
  framed.insert(framed.end(), message.begin(), message.end());
  framed.resize(framed.size() + wire::turn_padding(message.size()));
  if (tls_) {
    const bool taken = tls_->write(framed_);
    framed_.clear();
    tls_->take_output(out_);
    return taken;
  }
  return true;
}

void RelayStream::flush() {
  if (!connected_ || state_ == State::kEnded) {
    return;
  }
  if (tls_) {
    tls_->take_output(out_);
  }
  while (sent_ < out_.size()) {
    const auto moved = socket_.write(Bytes(out_).subspan(sent_));
    sent_ += moved.size;
    if (moved.state == linux::TcpStream::State::kEnded) {
      end(std::strerror(moved.error));
      return;
    }
    if (moved.state == linux::TcpStream::State::kWaits) {
      return;
    }
  }
  out_.clear();
  sent_ = 0;
}

}  // namespace hearthcast::datapath
