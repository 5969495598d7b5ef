// The handlers of the API, one file per resource. What each does and which errors it gives: openapi.yaml.
#pragma once

#include "appliance/api/services.hpp"

namespace hearthcast::api {

http::Response get_openapi(const Call& call, Services& services);
http::Response get_status(const Call& call, Services& services);
http::Response get_multicast(const Call& call, Services& services);
http::Response reload_settings(const Call& call, Services& services);

http::Response set_up(const Call& call, Services& services);
http::Response get_setup_code(const Call& call, Services& services);
http::Response get_session(const Call& call, Services& services);
http::Response sign_in(const Call& call, Services& services);
http::Response sign_out(const Call& call, Services& services);
http::Response change_password(const Call& call, Services& services);

http::Response list_channels(const Call& call, Services& services);
http::Response change_channel(const Call& call, Services& services);
http::Response delete_channel(const Call& call, Services& services);
http::Response import_playlist(const Call& call, Services& services);

http::Response list_pairings(const Call& call, Services& services);
http::Response open_pairing(const Call& call, Services& services);
http::Response close_pairing(const Call& call, Services& services);
http::Response pair(const Call& call, Services& services);

http::Response list_devices(const Call& call, Services& services);
http::Response change_device(const Call& call, Services& services);
http::Response forget_device(const Call& call, Services& services);

http::Response make_lan_link(const Call& call, Services& services);
http::Response drop_lan_link(const Call& call, Services& services);
// Of the settings, on unsealed tunnels.
http::Response list_peers(const Call& call, Services& services);

http::Response list_viewers(const Call& call, Services& services);
// The head of the stream; its events come from EventBoard.
http::Response watch_events(const Call& call, Services& services);

}  // namespace hearthcast::api
