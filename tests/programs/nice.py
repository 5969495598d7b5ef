"""libnice as the other end of an ICE session: one stream, one component, one address of this machine.

Through its C interface, since what comes in a datagram may hold any octet, which its introspection does not know."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from ctypes import POINTER, byref, c_char_p, c_int, c_uint, c_void_p

_glib = ctypes.CDLL("libglib-2.0.so.0")
_gobject = ctypes.CDLL("libgobject-2.0.so.0")
_nice = ctypes.CDLL("libnice.so.10")

_RFC5245 = 0  # what libnice calls the mode that RFC 8445 is the successor of
_REGULAR_NOMINATION, _CONSENT_FRESHNESS = 1 << 0, 1 << 5
_STATES = ("disconnected", "gathering", "connecting", "connected", "ready", "failed")
_G_TYPE_BOOLEAN = 5 << 2
_RECEIVED = ctypes.CFUNCTYPE(None, c_void_p, c_uint, c_uint, c_uint, POINTER(ctypes.c_char), c_void_p)
_COMPONENT = 1


class _GValue(ctypes.Structure):
    _fields_ = [("type", ctypes.c_size_t), ("data", ctypes.c_uint64 * 2)]


def _function(library: ctypes.CDLL, name: str, result: object, *arguments: object) -> Callable[..., int]:
    found = getattr(library, name)
    found.restype, found.argtypes = result, arguments
    return found  # type: ignore[no-any-return]


_context_new = _function(_glib, "g_main_context_new", c_void_p)
_context_iterate = _function(_glib, "g_main_context_iteration", c_int, c_void_p, c_int)
_context_unref = _function(_glib, "g_main_context_unref", None, c_void_p)
_list_append = _function(_glib, "g_slist_append", c_void_p, c_void_p, c_void_p)
_list_free = _function(_glib, "g_slist_free", None, c_void_p)
_free = _function(_glib, "g_free", None, c_void_p)
_unref = _function(_gobject, "g_object_unref", None, c_void_p)
_set_property = _function(_gobject, "g_object_set_property", None, c_void_p, c_char_p, POINTER(_GValue))
_value_init = _function(_gobject, "g_value_init", c_void_p, POINTER(_GValue), ctypes.c_size_t)
_value_set = _function(_gobject, "g_value_set_boolean", None, POINTER(_GValue), c_int)
_agent_new = _function(_nice, "nice_agent_new_full", c_void_p, c_void_p, c_int, c_int)
_address_new = _function(_nice, "nice_address_new", c_void_p)
_address_set = _function(_nice, "nice_address_set_from_string", c_int, c_void_p, c_char_p)
_address_free = _function(_nice, "nice_address_free", None, c_void_p)
_add_local_address = _function(_nice, "nice_agent_add_local_address", c_int, c_void_p, c_void_p)
_add_stream = _function(_nice, "nice_agent_add_stream", c_uint, c_void_p, c_uint)
_set_ports = _function(_nice, "nice_agent_set_port_range", None, c_void_p, c_uint, c_uint, c_uint, c_uint)
_set_local = _function(_nice, "nice_agent_set_local_credentials", c_int, c_void_p, c_uint, c_char_p, c_char_p)
_set_remote = _function(_nice, "nice_agent_set_remote_credentials", c_int, c_void_p, c_uint, c_char_p, c_char_p)
_attach = _function(_nice, "nice_agent_attach_recv", c_int, c_void_p, c_uint, c_uint, c_void_p, _RECEIVED, c_void_p)
_gather = _function(_nice, "nice_agent_gather_candidates", c_int, c_void_p, c_uint)
_parse = _function(_nice, "nice_agent_parse_remote_candidate_sdp", c_void_p, c_void_p, c_uint, c_char_p)
_set_candidates = _function(_nice, "nice_agent_set_remote_candidates", c_int, c_void_p, c_uint, c_uint, c_void_p)
_candidate_free = _function(_nice, "nice_candidate_free", None, c_void_p)
_state = _function(_nice, "nice_agent_get_component_state", c_int, c_void_p, c_uint, c_uint)
_selected = _function(
    _nice, "nice_agent_get_selected_pair", c_int, c_void_p, c_uint, c_uint, POINTER(c_void_p), POINTER(c_void_p))
_describe = _function(_nice, "nice_agent_generate_local_candidate_sdp", c_void_p, c_void_p, c_void_p)
_send = _function(_nice, "nice_agent_send", c_int, c_void_p, c_uint, c_uint, c_uint, c_char_p)


class NicePeer:
    """Lives as long as the block that it is opened in. It does something only while one of its methods waits."""

    def __init__(self, address: str, port: int, ufrag: str, password: str, *, controlling: bool) -> None:
        self.received: list[bytes] = []
        self._context = _context_new()
        self._agent = _agent_new(self._context, _RFC5245, _REGULAR_NOMINATION | _CONSENT_FRESHNESS)
        for name, value in (("controlling-mode", controlling), ("ice-tcp", False), ("upnp", False)):
            self._set(name, value)
        local = _address_new()
        assert _address_set(local, address.encode())
        assert _add_local_address(self._agent, local)
        _address_free(local)
        self._stream = _add_stream(self._agent, 1)
        assert self._stream
        _set_ports(self._agent, self._stream, _COMPONENT, port, port)
        assert _set_local(self._agent, self._stream, ufrag.encode(), password.encode())
        self._callback = _RECEIVED(self._on_received)
        assert _attach(self._agent, self._stream, _COMPONENT, self._context, self._callback, None)
        assert _gather(self._agent, self._stream)

    def __enter__(self) -> NicePeer:
        return self

    def __exit__(self, *_: object) -> None:
        _unref(self._agent)
        while _context_iterate(self._context, 0):
            pass
        _context_unref(self._context)

    def _set(self, name: str, value: bool) -> None:
        boxed = _GValue()
        _value_init(byref(boxed), _G_TYPE_BOOLEAN)
        _value_set(byref(boxed), int(value))
        _set_property(self._agent, name.encode(), byref(boxed))

    def _on_received(self, _agent: int, _stream: int, _component: int, size: int, octets: object, _data: object) -> None:
        self.received.append(ctypes.string_at(octets, size))  # type: ignore[arg-type]

    def connect(self, address: str, port: int, ufrag: str, password: str) -> None:
        """Begins: this is what the other end is called, and where it is."""
        assert _set_remote(self._agent, self._stream, ufrag.encode(), password.encode())
        line = f"a=candidate:1 1 UDP 2130706431 {address} {port} typ host"
        candidate = _parse(self._agent, self._stream, line.encode())
        assert candidate
        candidates = _list_append(None, candidate)
        assert _set_candidates(self._agent, self._stream, _COMPONENT, candidates) == 1
        _list_free(candidates)
        _candidate_free(candidate)

    @property
    def state(self) -> str:
        return _STATES[_state(self._agent, self._stream, _COMPONENT)]

    def selected(self) -> tuple[str, str] | None:
        """The nominated pair, as ADDRESS PORT here and there."""
        local, remote = c_void_p(), c_void_p()
        if not _selected(self._agent, self._stream, _COMPONENT, byref(local), byref(remote)):
            return None
        return self._endpoint(local), self._endpoint(remote)

    def _endpoint(self, candidate: c_void_p) -> str:
        text = _describe(self._agent, candidate)
        line = ctypes.string_at(text).decode()
        _free(text)
        return " ".join(line.split()[4:6])

    def send(self, datagram: bytes) -> None:
        assert _send(self._agent, self._stream, _COMPONENT, len(datagram), datagram) == len(datagram)

    def wait(self, condition: Callable[[], bool], what: str, timeout: float = 60) -> None:
        end = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < end, f"{what}: not within {timeout} s; libnice is {self.state}"
            if not _context_iterate(self._context, 0):
                time.sleep(0.005)
