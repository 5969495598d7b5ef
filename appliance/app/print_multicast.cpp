// `hearthcast-box multicast show`: instances, links, groups, routes and the diagnosis, as an indented text.
#include <nlohmann/json.hpp>

#include "appliance/app/print.hpp"

namespace hearthcast::app {
namespace {

using nlohmann::json;

std::string number(const json& object, const char* key) {
  return std::to_string(object.value(key, std::int64_t{0}));
}

json list(const json& object, const char* key) { return object.value(key, json::array()); }

std::string joined(const json& texts, const char* separator = ", ") {
  std::string out;
  for (const json& text : texts) {
    out += (out.empty() ? "" : separator) + text.get<std::string>();
  }
  return out;
}

std::string names(const json& interfaces) {
  std::string out;
  for (const json& each : interfaces) {
    out += (out.empty() ? "" : " ") + each.value("interface_name", "");
  }
  return out.empty() ? "(nothing)" : out;
}

std::string diagnosis(const json& instance) {
  std::string out;
  for (const json& row : list(instance, "diagnosis")) {
    out += "  ! " + row.value("text", "") + "\n";
  }
  return out;
}

std::string drops(const json& counts) {
  std::string out;
  for (const auto& [reason, count] : counts.items()) {
    if (count != 0) {
      out += (out.empty() ? "" : ", ") + reason + " " + std::to_string(count.get<std::int64_t>());
    }
  }
  return out;
}

std::string protocol(const json& family) {
  return (family.value("family", "") == "ipv6" ? "MLDv" : "IGMPv") + number(family, "version");
}

std::string upper(const std::string& mode) { return mode == "exclude" ? "EXCLUDE {" : "INCLUDE {"; }

// INCLUDE {2001:db8::1}
std::string filter(const json& row) {
  return upper(row.value("filter_mode", "")) + joined(list(row, "source_address")) + "}";
}

// Families of which nothing passed are left out.
std::string traffic(const json& interface) {
  std::string out;
  for (const json& row : list(interface, "traffic")) {
    if (number(row, "packets_in") != "0" || number(row, "packets_out") != "0") {
      out += "    " + row.value("family", "") + ": " + number(row, "packets_in") + " packets (" +
             number(row, "bytes_in") + " bytes) routed in, " + number(row, "packets_out") + " (" +
             number(row, "bytes_out") + ") out\n";
    }
  }
  return out;
}

std::string interface_line(const json& interface, const char* role) {
  const std::string state = interface.value("state", "");
  const std::string why = interface.value("why", "");
  return std::string("  ") + role + " " + interface.value("interface_name", "") +
         (interface.contains("index") ? " (" + number(interface, "index") + ")" : "") + ": " + state +
         (why.empty() ? "" : ", " + why) + "\n" + traffic(interface);
}

std::string upstream(const json& interface) {
  std::string out = interface_line(interface, "upstream");
  for (const json& family : list(interface, "families")) {
    out += "    " + family.value("family", "") + ": ";
    out += family.contains("last_query_s")
               ? protocol(family) + ", last query " + number(family, "last_query_s") + " s ago from " +
                     family.value("querier", "somebody") + "\n"
               : "no query heard yet\n";
  }
  return out;
}

std::string sources(const json& group) {
  std::string out = upper(group.value("filter_mode", ""));
  const char* separator = "";
  for (const json& source : list(group, "source")) {
    out += separator + source.value("source_address", "");
    // In mode EXCLUDE a source that is forwarded stands out.
    out +=
        group.value("filter_mode", "") == "exclude" && source.value("forwarded", false) ? " forwarded" : "";
    out += source.contains("expire_s") ? " (" + number(source, "expire_s") + " s)" : "";
    separator = ", ";
  }
  return out + "}";
}

std::string membership(const json& group) {
  std::string out = "      " + group.value("group_address", "") + " " + sources(group) + ", for " +
                    number(group, "up_time_s") + " s";
  out += group.contains("expire_s") ? ", expires in " + number(group, "expire_s") + " s" : "";
  out += ", version " + number(group, "version");
  out += group.value("asking", false) ? ", asking whether anybody still listens" : "";
  out += group.contains("last_reporter") ? ", last reporter " + group.value("last_reporter", "") : "";
  out += "\n";
  for (const json& host : list(group, "host")) {
    out += "        " + host.value("host_address", "") + " " + filter(host) + ", heard " +
           number(host, "heard_s") + " s ago\n";
  }
  return out;
}

std::string families(const json& interface) {
  std::string out;
  for (const json& family : list(interface, "families")) {
    out += "    " + family.value("family", "") + ": " + protocol(family) + ", ";
    const std::string address = family.value("querier", "");
    if (family.value("is_querier", false)) {
      out += "querier" + (address.empty() ? "" : " as " + address);
    } else {
      out += address.empty() ? "silent" : "the querier is " + address;
      out +=
          family.contains("querier_expire_s") ? " for " + number(family, "querier_expire_s") + " s more" : "";
    }
    out += "; " + number(family, "reports") + " reports, " + number(family, "leaves") + " leaves, " +
           number(family, "queries_sent") + " queries";
    const std::string dropped = drops(family.value("drops", json::object()));
    out += dropped.empty() ? "\n" : "; not heeded: " + dropped + "\n";
    for (const json& group : list(family, "group")) {
      out += membership(group);
    }
  }
  return out;
}

std::string group(const json& row) {
  std::string out = "  group " + row.value("group_address", "") + " " + filter(row) + ", for " +
                    number(row, "up_time_s") + " s, " + number(row, "packets") + " packets, " +
                    number(row, "bytes") + " bytes\n";
  for (const auto& [key, word] :
       {std::pair("upstream_interface", "joined on "), std::pair("downstream_interface", "wanted by ")}) {
    for (const json& each : list(row, key)) {
      out += std::string("    ") + word + each.value("interface_name", "") + ": " + filter(each) + "\n";
    }
  }
  return out;
}

std::string route(const json& row) {
  const std::string outgoing = joined(list(row, "outgoing_interface"), " ");
  return "  route (" + row.value("source_address", "*") + ", " + row.value("group_address", "") + ") " +
         row.value("incoming_interface", "") + " ==> " + (outgoing.empty() ? "(nothing)" : outgoing) + ", " +
         row.value("kind", "") + ": " + number(row, "packets") + " packets, " + number(row, "bytes") +
         " bytes, for " + number(row, "up_time_s") + " s" +
         (row.contains("idle_s") ? ", moved " + number(row, "idle_s") + " s ago" : "") +
         (row.value("wrong_interface", 0) != 0 ? ", " + number(row, "wrong_interface") + " came in elsewhere"
                                               : "") +
         "\n";
}

std::string instance_text(const json& instance) {
  std::string out = instance.value("name", "") + ": " + names(list(instance, "upstream_interface")) +
                    " ==> " + names(list(instance, "downstream_interface")) +
                    (instance.value("tunnels", "none") == "none" ? "" : " and devices away") + "\n" +
                    diagnosis(instance);
  for (const json& each : list(instance, "upstream_interface")) {
    out += upstream(each);
  }
  for (const json& each : list(instance, "downstream_interface")) {
    out += interface_line(each, "downstream") + families(each);
  }
  for (const json& each : list(instance, "group")) {
    out += group(each);
  }
  for (const json& each : list(instance, "route")) {
    out += route(each);
  }
  const std::string dropped = drops(instance.value("drops", json::object()));
  return out + (dropped.empty() ? "" : "  not heeded: " + dropped + "\n");
}

}  // namespace

std::string print_multicast(const json& status) {
  std::string out;
  for (const json& text : list(status, "trouble")) {
    out += "! " + text.get<std::string>() + "\n";
  }
  for (const json& instance : list(status, "instance")) {
    out += instance_text(instance);
  }
  for (const json& tunnel : list(status, "tunnel")) {
    out += "device " + number(tunnel, "device_id") + ":\n" + families(tunnel);
  }
  const std::string dropped = drops(status.value("drops", json::object()));
  out += dropped.empty() ? "" : "dropped: " + dropped + "\n";
  return out.empty()
             ? "No multicast instance is configured, and no device is connected: see [[multicast]] in "
               "`hearthcast-box sample-settings`.\n"
             : out;
}

}  // namespace hearthcast::app
