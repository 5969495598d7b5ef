#include "appliance/api/api_server.hpp"

#include <boost/asio/steady_timer.hpp>
#include <list>
#include <utility>

#include "appliance/api/events.hpp"
#include "appliance/api/problem.hpp"
#include "appliance/api/router.hpp"
#include "tunnelmgr/playlist/lan_path.hpp"

namespace hearthcast::api {
namespace {

constexpr std::size_t kMaxWaiting = 128;  // requests that the worker has not answered
constexpr std::size_t kMaxReaders = 32;   // of the event stream
constexpr std::chrono::seconds kTick{1};
constexpr int kTicksPerKeepAlive = 15;

http::Limits limits() {
  http::Limits limits;
  limits.body_limit = body_limit;
  limits.refuse_large = refuse_large;
  limits.refusal = refused_unread;
  return limits;
}

http::Response busy(std::string detail) {
  return respond({503, "busy", "The box is busy.", std::move(detail), ""});
}

struct Reader {
  http::Request request;                 // for its session
  std::shared_ptr<http::Stream> stream;  // shared with the connection that writes it
  EventBoard::Seen seen;
};

struct News {
  std::vector<Event> events;
  std::vector<bool> signed_in;  // of the readers when it was asked for
};

}  // namespace

struct ApiServer::State {
  State(boost::asio::io_context& io, Log& log, runtime::Worker& its_worker, Services& its_services,
        const LiveSource& its_live)
      : worker(its_worker),
        services(its_services),
        live(its_live),
        timer(io),
        server(
            io, log,
            [this](http::Request request, http::Responder responder) {
              serve(std::move(request), std::move(responder));
            },
            limits()) {
    schedule();
  }

  void serve(http::Request request, http::Responder responder);
  void finish(const http::Request& request, const http::Responder& responder, http::Response response);
  void schedule();
  void refresh();
  void distribute(News news);

  runtime::Worker& worker;
  Services& services;      // worker thread
  const LiveSource& live;  // control thread
  http::Handler lan;
  boost::asio::steady_timer timer;
  std::list<Reader> readers;
  EventBoard board;
  std::size_t waiting = 0;
  bool refreshing = false;
  int ticks = 0;
  http::Server server;
};

void ApiServer::State::serve(http::Request request, http::Responder responder) {
  if (lan && playlist::is_lan_path(request.path)) {
    lan(std::move(request), std::move(responder));
    return;
  }
  if (waiting >= kMaxWaiting) {
    responder.send(busy("Too many requests at once. Try again in a moment."));
    return;
  }
  ++waiting;
  LiveState live_now = live.live();
  if (needs_multicast(request.path)) {
    live_now.multicast = std::make_shared<const multicast::MulticastStatus>(live.multicast());
  }
  // Shared by job and completion, one of which runs after the other.
  const auto asked = std::make_shared<const http::Request>(std::move(request));
  worker.submit([this, asked, live_now = std::move(live_now),
                 now = Clock::now()] { return answer(*asked, live_now, now, services); },
                [this, asked, responder = std::move(responder)](http::Response response) {
                  --waiting;
                  finish(*asked, responder, std::move(response));
                });
}

void ApiServer::State::finish(const http::Request& request, const http::Responder& responder,
                              http::Response response) {
  const bool is_stream = response.headers.get("content-type") == "text/event-stream";
  if (!is_stream || request.method == "HEAD") {
    responder.send(std::move(response));
    return;
  }
  if (readers.size() >= kMaxReaders) {
    responder.send(busy("Too many pages of the box are open. Close some of them."));
    return;
  }
  readers.push_back({request, responder.stream(std::move(response)), {}});
  refresh();
}

void ApiServer::State::schedule() {
  timer.expires_after(kTick);
  timer.async_wait([this](boost::system::error_code stopped) {
    if (stopped) {
      return;
    }
    if (++ticks % kTicksPerKeepAlive == 0) {
      for (Reader& reader : readers) {
        (void)reader.stream->send("event: alive\ndata: {}\n\n");
      }
    }
    refresh();
    schedule();
  });
}

void ApiServer::State::refresh() {
  if (refreshing) {
    return;  // the readers keep their places until its answer
  }
  std::erase_if(readers, [](const Reader& reader) { return reader.stream->closed(); });
  if (readers.empty()) {
    return;
  }
  refreshing = true;
  std::vector<http::Request> requests;
  for (const Reader& reader : readers) {
    requests.push_back(reader.request);
  }
  worker.submit(
      [this, requests = std::move(requests), live_now = live.live(), now = Clock::now()] {
        News news{render_events(services, live_now, now), {}};
        for (const http::Request& request : requests) {
          news.signed_in.push_back(request.transport == http::Transport::kUnix ||
                                   services.logins.is_signed_in(request, now, false));
        }
        return news;
      },
      [this](News news) {
        refreshing = false;
        distribute(std::move(news));
      });
}

// signed_in tells of the first readers; those that came meanwhile were checked a moment ago.
void ApiServer::State::distribute(News news) {
  board.update(std::move(news.events));
  std::size_t index = 0;
  for (Reader& reader : readers) {
    if (index < news.signed_in.size() && !news.signed_in[index]) {
      reader.stream->close();
    } else if (const std::string text = board.news(reader.seen); !text.empty()) {
      (void)reader.stream->send(text);  // false: it was too slow and is cut; the next refresh forgets it
    }
    ++index;
  }
}

ApiServer::ApiServer(boost::asio::io_context& io, Log& log, runtime::Worker& worker, Services& services,
                     const LiveSource& live)
    : state_(std::make_unique<State>(io, log, worker, services, live)) {}

ApiServer::~ApiServer() { stop(); }

void ApiServer::on_lan(http::Handler handler) { state_->lan = std::move(handler); }

http::Server& ApiServer::server() { return state_->server; }

void ApiServer::stop() {
  state_->timer.cancel();
  for (Reader& reader : state_->readers) {
    reader.stream->close();
  }
  state_->readers.clear();
  state_->server.stop();
}

}  // namespace hearthcast::api
