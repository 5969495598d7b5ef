-- GUE version 0 (draft-ietf-intarea-gue) for a tshark that does not know it: header, then the protocol that it names.
local gue = Proto("gue", "Generic UDP Encapsulation")
local length = ProtoField.uint8("gue.hlen", "Header length beyond 4, in words", base.DEC, nil, 0x1F)
local protocol = ProtoField.uint8("gue.protocol", "Protocol")
local flags = ProtoField.uint16("gue.flags", "Flags", base.HEX)
gue.fields = { length, protocol, flags }

function gue.dissector(buffer, info, tree)
  if buffer(0, 1):bitfield(0, 2) ~= 0 then
    return Dissector.get(buffer(0, 1):bitfield(0, 4) == 6 and "ipv6" or "ip"):call(buffer, info, tree)
  end
  local size = 4 + 4 * buffer(0, 1):bitfield(3, 5)
  local branch = tree:add(gue, buffer(0, size))
  branch:add(length, buffer(0, 1))
  branch:add(protocol, buffer(1, 1))
  branch:add(flags, buffer(2, 2))
  DissectorTable.get("ip.proto"):try(buffer(1, 1):uint(), buffer(size):tvb(), info, tree)
end

local ports = DissectorTable.get("udp.port")
ports:add(6080, gue)
ports:add(6081, gue)
