# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The registry of the doctor's checks: one entry for each, with what it means and what to do.

docs/doctor.md is written from it by scripts/doctor_page.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from . import addresses, daemon, keys, ports, routes, servers, switches, tunnels, zones
from .databases import Databases, Finding

ERROR, WARNING = "error", "warning"
#: The page of the guide that has a section for each check, with the ID of the check as its anchor.
PAGE = "docs/doctor.md"

Find = Callable[[Databases], Iterator[Finding]]
Need = Callable[[Databases], "str | None"]


class Check(NamedTuple):
    """One check. ``find`` yields the findings of this and of related checks. ``needs``: functions that return why the
    check is not possible, None if it is.
    """

    id: str
    severity: str
    object: str
    cause: str
    fix: str
    find: Find
    needs: tuple[Need, ...]

    @property
    def link(self) -> str:
        """The section of the guide about this check."""
        return f"{PAGE}#{self.id}"

    @property
    def is_local(self) -> bool:
        """Whether the check is about the way to the databases instead of their contents."""
        return self.object in ("certificate", "connection", "host")

    def obstacle(self, databases: Databases) -> str | None:
        """Why the check is not possible, None if it is."""
        return next(filter(None, (need(databases) for need in self.needs)), None)


def _rows(side: str, table: str, words: str) -> Need:
    """The need for rows of a table of IC_NB (``north``) or IC_SB (``south``)."""
    return lambda databases: None if getattr(databases, side).count(table) else f"there are no {words}"


def _any_switch(databases: Databases) -> str | None:
    if databases.north.count("Transit_Switch") or databases.south.count("Port_Binding") or databases.south.count("Datapath_Binding"):
        return None
    return "there are no transit switches in IC_NB and no ports in IC_SB"


def _given(databases: Databases) -> str | None:
    return None if databases.has_zone else "nb_db and sb_db of a zone are not given"


def _registered(databases: Databases) -> str | None:
    if not databases.has_zone or databases.zone.own_az is not None:
        return _given(databases)
    return "the zone of nb_db is not registered in IC_SB; name it with ovn_ic_az, and check that its sync daemon runs"


def _answers(databases: Databases) -> str | None:
    if databases.facts.daemon is not None:
        return None
    return "the daemon does not answer" if databases.facts.daemon_error is not None else "control_socket is not given"


def _asked(databases: Databases) -> str | None:
    return None if databases.facts.daemon_error is not None or databases.facts.daemon is not None else "control_socket is not given"


def _servers(databases: Databases) -> str | None:
    if databases.facts.servers is None:
        return "server_sockets is not given"
    return None if databases.facts.servers else "no server of server_sockets has reported a cluster"


def _sockets(databases: Databases) -> str | None:
    return None if databases.facts.servers is not None else "server_sockets is not given"


def _certificates(databases: Databases) -> str | None:
    return None if databases.facts.certificates else "no certificate is given (options certificate and ca_cert)"


def _remotes(databases: Databases) -> str | None:
    return None if databases.facts.remotes else "the remotes of the databases are not known"


def _parser(databases: Databases) -> str | None:
    return None if databases.facts.fast_json is not None else "the check is made on a host only"


_ZONES = _rows("south", "Availability_Zone", "availability zones in IC_SB")
_GATEWAYS = _rows("south", "Gateway", "gateways in IC_SB")
_PORTS = _rows("south", "Port_Binding", "ports in IC_SB")
_ROUTES = _rows("south", "Route", "routes in IC_SB")
_DATAPATHS = _rows("south", "Datapath_Binding", "datapaths in IC_SB")
_SWITCHES = _rows("north", "Transit_Switch", "transit switches in IC_NB")

_PORT, _BINDING = "port of a transit switch", "Port_Binding of IC_SB"
_ZONE, _GATEWAY, _ROUTER_PORT = "availability zone", "gateway", "logical router port"
_DAEMON = "sync daemon"

_ALL = (
    # -- addresses ---------------------------------------------------------------------------------------------------------------------
    Check(
        "duplicate-ip",
        ERROR,
        _PORT,
        "Two ports of one transit switch have the same IP address. Routers of other zones send packets to either of them.",
        "Give each port its own address with the option `networks` of `ovn_ic_attachment`.",
        addresses.duplicates,
        (_PORTS,),
    ),
    Check(
        "duplicate-mac",
        ERROR,
        _PORT,
        "Two ports of one transit switch have the same MAC address. Packets for one of them arrive at the other.",
        "Give each port its own address with the option `mac` of `ovn_ic_attachment`.",
        addresses.duplicates,
        (_PORTS,),
    ),
    Check(
        "address-outside-subnet",
        ERROR,
        _PORT,
        "A port's address is outside the subnets of its transit switch, so the other routers on the switch cannot reach it.",
        "Change the address with `ovn_ic_attachment`, or the subnets with `ovn_ic_transit_switch`.",
        addresses.subnets,
        (_PORTS,),
    ),
    Check(
        "address-unusable",
        ERROR,
        _PORT,
        "A port has the network or broadcast address of its subnet, or a loopback, multicast or unspecified address.",
        "Give the router port another address of the subnet.",
        addresses.subnets,
        (_PORTS,),
    ),
    Check(
        "prefix-length-differs",
        WARNING,
        _PORT,
        "A port has another prefix length than the other ports of its transit switch. Its router regards some of them as unreachable.",
        "Use one prefix length on the transit switch.",
        addresses.subnets,
        (_PORTS,),
    ),
    Check(
        "router-twice-in-network",
        ERROR,
        "logical router",
        "A router has ports in one network on two transit switches. It sends all packets of that network to one of the two.",
        "Use one subnet for each transit switch.",
        addresses.subnets,
        (_PORTS,),
    ),
    Check(
        "subnet-shared",
        ERROR,
        "transit switch",
        "A subnet of a transit switch equals, or lies in, a subnet of the same or another transit switch.",
        "Give each transit switch its own subnets with `ovn_ic_transit_switch`.",
        addresses.shared_subnets,
        (_SWITCHES,),
    ),
    Check(
        "router-networks-overlap",
        ERROR,
        "logical router",
        "Two ports of an attached router have overlapping networks. Packets leave through one of the ports only.",
        "Give each router port its own network.",
        addresses.router_networks,
        (_registered,),
    ),
    Check(
        "ipv6-missing",
        WARNING,
        _ROUTER_PORT,
        "A router has IPv6 networks, and its port on the transit switch has no IPv6 address. Its IPv6 networks are not advertised there.",
        "Add an IPv6 address to the port with the option `networks` of `ovn_ic_attachment`.",
        addresses.without_ipv6,
        (_registered,),
    ),
    # -- ports -------------------------------------------------------------------------------------------------------------------------
    Check(
        "port-without-gateway",
        ERROR,
        _BINDING,
        "No gateway holds a port, so no other zone can send packets to it. The finding names the cause if the zone's databases are given: "
        "no gateway chassis, none of them is up, or a gateway router.",
        "Set gateway chassis with the option `gateways` of `ovn_ic_attachment`, and check that ovn-controller runs on one of them.",
        ports.gateways,
        (_PORTS,),
    ),
    Check(
        "gateway-unregistered",
        ERROR,
        _BINDING,
        "The gateway that holds a port is not registered in IC_SB, so other zones have no tunnel to it.",
        "Make the chassis a gateway with `ovn_ic_gateway`.",
        ports.gateways,
        (_PORTS,),
    ),
    Check(
        "gateway-of-other-zone",
        ERROR,
        _BINDING,
        "The gateway that holds a port is registered by another zone, because two chassis have one name.",
        "Give the chassis different names.",
        ports.gateways,
        (_PORTS,),
    ),
    Check(
        "port-not-of-router",
        WARNING,
        "logical switch port",
        "A port on a transit switch belongs to a virtual machine or another device. Only router ports are published to other zones.",
        "Attach a router with `ovn_ic_attachment`, and move the port to a switch of that router.",
        ports.ports,
        (_registered, _ZONES),
    ),
    Check(
        "port-name-taken",
        ERROR,
        "logical switch port",
        "Another zone has published a port of the same name. IC_SB accepts one port of a name, so this one is not published.",
        "Set another name with the option `switch_port` of `ovn_ic_attachment`.",
        ports.ports,
        (_registered, _ZONES),
    ),
    Check(
        "attachment-incomplete",
        ERROR,
        "logical switch port",
        "A port on a transit switch has no router behind it: it names no router port, or one that was renamed or deleted.",
        "Run `ovn_ic_attachment` for the router again, or delete the switch port.",
        ports.ports,
        (_registered, _ZONES),
    ),
    Check(
        "router-disabled",
        WARNING,
        "logical router",
        "A router on a transit switch is disabled (`enabled=false`), so its routes are withdrawn and it drops packets.",
        "Enable the router (`ovn-nbctl set Logical_Router NAME enabled=true`), or detach it.",
        ports.ports,
        (_registered, _ZONES),
    ),
    Check(
        "port-disabled",
        WARNING,
        "logical switch port or logical router port",
        "A port on a transit switch is disabled (`enabled=false`), so routes through it are withdrawn and it drops packets.",
        "Enable it with `ovn-nbctl lsp-set-enabled` or `lrp-set-enabled`, or detach the router.",
        ports.ports,
        (_registered, _ZONES),
    ),
    Check(
        "gateway-router",
        ERROR,
        "logical router",
        "A router on a transit switch is bound to one chassis (`options:chassis`), so no gateway can host its port for other zones.",
        "Attach a distributed router, or remove `options:chassis` and give the router port gateway chassis.",
        ports.ports,
        (_registered, _ZONES),
    ),
    Check(
        "router-port-shared",
        ERROR,
        "logical switch port",
        "Two switch ports name the same router port, which can have only one peer.",
        "Delete one of the two switch ports.",
        ports.ports,
        (_registered, _ZONES),
    ),
    Check(
        "port-not-published",
        ERROR,
        "logical switch port",
        "A port with a router is not in IC_SB, so other zones do not know it.",
        "Check that ovn-northd and the sync daemon of the zone run. The daemon's `skipped/show` gives the reason.",
        ports.ports,
        (_registered, _ZONES),
    ),
    Check(
        "network-disabled",
        WARNING,
        _ROUTER_PORT,
        "A port of an attached router is disabled, so its networks are not advertised.",
        "Enable the router port, or delete it.",
        ports.networks,
        (_registered,),
    ),
    Check(
        "router-port-orphaned",
        WARNING,
        _ROUTER_PORT,
        "A router port looks like one half of an attachment, and the switch port is missing, for example because its switch was deleted.",
        "Attach the router again with `ovn_ic_attachment`, or delete the router port.",
        ports.orphans,
        (_registered,),
    ),
    Check(
        "gateway-chassis-unusable",
        WARNING,
        _ROUTER_PORT,
        "A gateway chassis of an attached router port does not exist, belongs to another zone, or is not a gateway of the interconnect.",
        "Name chassis of this zone with the option `gateways` of `ovn_ic_attachment`, and make them gateways with `ovn_ic_gateway`.",
        ports.gateway_chassis,
        (_registered,),
    ),
    Check(
        "remote-port-missing",
        ERROR,
        _BINDING,
        "A zone has no copy of another zone's port on a transit switch, so it cannot send packets to it.",
        "Check that the zone's sync daemon runs. Its `skipped/show` gives the reason.",
        ports.copies,
        (_registered, _PORTS),
    ),
    Check(
        "remote-port-unbound",
        ERROR,
        _BINDING,
        "A zone's copy of another zone's port has no chassis in SB although the port has a gateway. Packets to it are dropped.",
        "Check that ovn-northd and the sync daemon of the zone run.",
        ports.copies,
        (_registered, _PORTS),
    ),
    Check(
        "remote-port-leftover",
        WARNING,
        "logical switch port",
        "A zone has a copy of another zone's port that IC_SB does not have.",
        "Check that the zone's sync daemon runs and withholds nothing (`guard/show`).",
        ports.copies,
        (_registered, _ZONES),
    ),
    # -- tunnel keys -------------------------------------------------------------------------------------------------------------------
    Check(
        "duplicate-datapath-key",
        ERROR,
        "Datapath_Binding of IC_SB",
        "Two transit switches or routers have one tunnel key. Packets of one arrive in the other.",
        "Delete all of these rows of IC_SB but one. The daemons create new ones with other keys.",
        keys.duplicates,
        (_DATAPATHS,),
    ),
    Check(
        "datapath-key-mismatch",
        ERROR,
        "transit switch",
        "A zone uses another tunnel key for a transit switch than IC_SB has. Packets between zones arrive elsewhere or nowhere.",
        "Check that the sync daemon and ovn-northd of the zone run, and find the datapath that already has the key in this zone.",
        keys.mismatches,
        (_registered, _DATAPATHS),
    ),
    Check(
        "port-key-mismatch",
        ERROR,
        _PORT,
        "A zone uses another tunnel key for a port than IC_SB has. Packets between zones arrive elsewhere or nowhere.",
        "Check that the sync daemon and ovn-northd of the zone run, and find the port that already has the key on the switch.",
        keys.mismatches,
        (_registered, _PORTS),
    ),
    # -- transit switches --------------------------------------------------------------------------------------------------------------
    Check(
        "name-of-switch-and-router",
        ERROR,
        "transit switch and transit router",
        "A transit switch and a transit router have one name, by which alone the ports in IC_SB refer to them.",
        "Rename one of them.",
        switches.same_names,
        (_SWITCHES,),
    ),
    Check(
        "switch-duplicate",
        ERROR,
        "logical switch",
        "A zone has two logical switches for one transit switch, or a second one of its name.",
        "Keep `other_config:interconn-ts` on the one to be used, and rename or delete the other.",
        switches.switches,
        (_registered, _SWITCHES),
    ),
    Check(
        "switch-name-taken",
        ERROR,
        "logical switch",
        "A zone has an ordinary logical switch with the name of a transit switch.",
        "Rename the logical switch, or the transit switch.",
        switches.switches,
        (_registered, _SWITCHES),
    ),
    Check(
        "switch-missing",
        ERROR,
        "transit switch",
        "A zone has no logical switch for a transit switch.",
        "Check that the zone's sync daemon runs. Its `skipped/show` gives the reason.",
        switches.switches,
        (_registered, _SWITCHES),
    ),
    Check(
        "switch-leftover",
        WARNING,
        "logical switch",
        "A zone has the logical switch of a transit switch that IC_NB does not have.",
        "Create the transit switch again with `ovn_ic_transit_switch`, or delete the logical switch. If the daemon withholds the deletion, "
        "`guard/show` gives the reason and `guard/release` ends it.",
        switches.switches,
        (_registered, _any_switch),
    ),
    Check(
        "datapath-leftover",
        WARNING,
        "Datapath_Binding of IC_SB",
        "IC_SB has the datapath of a transit switch that IC_NB does not have.",
        "Check that the sync daemons run and withhold nothing (`guard/show`), or create the transit switch again.",
        switches.leftovers,
        (_DATAPATHS,),
    ),
    Check(
        "binding-leftover",
        WARNING,
        _BINDING,
        "IC_SB has ports on a transit switch that IC_NB does not have.",
        "Check the sync daemon of the zone that the finding names, or create the transit switch again.",
        switches.leftovers,
        (_PORTS,),
    ),
    Check(
        "route-leftover",
        WARNING,
        "Route of IC_SB",
        "IC_SB has routes on a transit switch that IC_NB does not have.",
        "Check the sync daemon of the zone that the finding names, or create the transit switch again.",
        switches.leftovers,
        (_ROUTES,),
    ),
    Check(
        "route-without-port",
        ERROR,
        "Route of IC_SB",
        "A zone advertises routes with a next hop that no port on the transit switch has. Packets to them are lost.",
        "Check the sync daemon of the zone that the finding names, or attach its router again.",
        switches.next_hops,
        (_ROUTES,),
    ),
    # -- routes ------------------------------------------------------------------------------------------------------------------------
    Check(
        "network-in-two-zones",
        ERROR,
        "network",
        "Two zones have overlapping connected networks. A third zone sends packets to either of them.",
        "Deny one of the networks with `ovn_ic_route_policy`, or renumber it.",
        routes.overlaps,
        (_ROUTES,),
    ),
    Check(
        "network-on-two-routers",
        ERROR,
        "network",
        "Two routers of one zone have different networks with one prefix. Other zones send packets to either of them.",
        "Deny one of the networks with `ovn_ic_route_policy`, or renumber it.",
        routes.overlaps,
        (_ROUTES,),
    ),
    Check(
        "static-route-into-network",
        ERROR,
        "network",
        "A zone advertises a static route to addresses of another zone's connected network. Packets to them leave that network.",
        "Delete the static route, or deny it with `ovn_ic_route_policy`.",
        routes.overlaps,
        (_ROUTES,),
    ),
    Check(
        "learning-off",
        WARNING,
        _ZONE,
        "A zone learns no routes (`ic-route-learn`) although other zones advertise some on its transit switches.",
        "Turn it on with the option `learn` of `ovn_ic_route_policy`.",
        routes.policy,
        (_registered, _SWITCHES),
    ),
    Check(
        "advertising-off",
        WARNING,
        _ZONE,
        "A zone advertises no routes (`ic-route-adv`) although other zones do, so they have no route back to it.",
        "Turn it on with the option `advertise` of `ovn_ic_route_policy`.",
        routes.policy,
        (_registered, _SWITCHES),
    ),
    Check(
        "zone-silent",
        WARNING,
        _ZONE,
        "A zone has a router on a transit switch and advertises nothing there, while other zones do. Replies to it have no route.",
        "Run `ovn_ic_route_info` with the databases of that zone. It gives the reason for each network.",
        routes.silent,
        (_ROUTES,),
    ),
    Check(
        "default-route-loop",
        ERROR,
        "Route of IC_SB",
        "A zone advertises a default route on the transit switch on which its next hop is. When that router loses its own default route, "
        "packets loop between the two.",
        "Remove `ic-route-adv-via-transit` from `NB_Global.options`, or advertise no default route.",
        routes.default_loops,
        (_registered, _ROUTES),
    ),
    Check(
        "option-without-effect",
        WARNING,
        _ZONE,
        "An option of the zone has no effect, because another one is off or its value is not a prefix.",
        "Correct the option with `ovn_ic_route_policy`.",
        routes.options,
        (_given,),
    ),
    Check(
        "denylist-twice",
        WARNING,
        _ZONE,
        "The zone has a list of denied prefixes under the present and under the former name of the option. Here both apply. Upstream's "
        "daemon ignores the second one.",
        "Move all prefixes to `ic-route-denylist` (`ovn_ic_route_policy`).",
        routes.options,
        (_given,),
    ),
    Check(
        "tag-option-invalid",
        WARNING,
        _ROUTER_PORT,
        "`ic-route-learn-tag-rules` of a router port is invalid and has no effect, so all tags are learned.",
        "Set it to `allow:TAG[,TAG...]` or `block:TAG[,TAG...]`.",
        routes.options,
        (_given,),
    ),
    Check(
        "tag-option-deprecated",
        WARNING,
        _ROUTER_PORT,
        "A router port has the deprecated option `ic-route-filter-tag`.",
        "Use `ic-route-learn-tag-rules=block:TAG` instead.",
        routes.options,
        (_given,),
    ),
    Check(
        "schema-too-old",
        WARNING,
        _ZONE,
        "An option of the zone needs a newer schema of IC_SB.",
        "Convert the database with `ovn_ic_schema`, or remove the option.",
        routes.options,
        (_given,),
    ),
    # -- gateways and tunnels ----------------------------------------------------------------------------------------------------------
    Check(
        "chassis-name-taken",
        ERROR,
        "chassis",
        "A chassis has the name of another zone's gateway, so one of the two is not known to the other zones.",
        "Give the chassis different names (`external_ids:system-id` of Open_vSwitch).",
        tunnels.chassis,
        (_registered,),
    ),
    Check(
        "tunnel-address-taken",
        ERROR,
        "chassis",
        "A chassis has the tunnel address of another zone's gateway. SB accepts an address once, so one of the two is missing.",
        "Give each gateway its own address.",
        tunnels.chassis,
        (_registered,),
    ),
    Check(
        "duplicate-tunnel-address",
        ERROR,
        _GATEWAY,
        "Two gateways in IC_SB have one tunnel address.",
        "Give each gateway its own address.",
        tunnels.tunnels,
        (_GATEWAYS,),
    ),
    Check(
        "gateway-not-published",
        ERROR,
        "chassis",
        "A chassis is marked as a gateway of the interconnect and is not registered in IC_SB.",
        "Check that the zone's sync daemon runs. Its `skipped/show` gives the reason.",
        tunnels.chassis,
        (_registered,),
    ),
    Check(
        "no-common-tunnel",
        ERROR,
        _GATEWAY,
        "A gateway has no tunnel type and address family in common with a gateway of another zone.",
        "Give the gateways one common encap type (geneve) and address family.",
        tunnels.tunnels,
        (_GATEWAYS,),
    ),
    Check(
        "tunnel-address-unusable",
        ERROR,
        _GATEWAY,
        "A tunnel address is a loopback, multicast, link-local or unspecified address, which other hosts cannot reach.",
        "Set `external_ids:ovn-encap-ip` of its Open_vSwitch to an address that other zones reach.",
        tunnels.tunnels,
        (_GATEWAYS,),
    ),
    Check(
        "remote-chassis-missing",
        ERROR,
        _GATEWAY,
        "A zone has no chassis for another zone's gateway, so it has no tunnel to it.",
        "Check that the zone's sync daemon runs. Its `skipped/show` gives the reason.",
        tunnels.copies,
        (_registered, _GATEWAYS),
    ),
    Check(
        "remote-chassis-differs",
        ERROR,
        _GATEWAY,
        "A zone's chassis for another zone's gateway has other tunnel addresses than the gateway.",
        "Check that the zone's sync daemon runs. Its `skipped/show` gives the reason.",
        tunnels.copies,
        (_registered, _GATEWAYS),
    ),
    Check(
        "remote-chassis-leftover",
        WARNING,
        "chassis",
        "A zone has a copy of another zone's gateway that IC_SB does not have.",
        "Check that the zone's sync daemon runs and withholds nothing (`guard/show`).",
        tunnels.copies,
        (_registered,),
    ),
    # -- zones -------------------------------------------------------------------------------------------------------------------------
    Check(
        "zone-behind",
        ERROR,
        _ZONE,
        "A zone has not confirmed the newest request (OVN 24.03 and later), so its ports and routes may be out of date.",
        "Check the zone's sync daemon, or purge the zone with `ovn_ic_az` if it is gone.",
        zones.progress,
        (_ZONES,),
    ),
    Check(
        "zone-stale",
        ERROR,
        _ZONE,
        "A zone has ports or routes in IC_SB and no gateway. Other zones send packets to it nowhere.",
        "Make a chassis a gateway with `ovn_ic_gateway`, or purge the zone with `ovn_ic_az` if it is gone.",
        zones.registered,
        (_ZONES,),
    ),
    Check(
        "zone-without-gateway",
        WARNING,
        _ZONE,
        "A zone is registered and has no gateway.",
        "Make a chassis a gateway with `ovn_ic_gateway`, or purge the zone with `ovn_ic_az` if it is gone.",
        zones.registered,
        (_ZONES,),
    ),
    Check(
        "zone-unnamed",
        ERROR,
        _ZONE,
        "`NB_Global.name` of the given zone is empty, so it is not registered.",
        "Name the zone with `ovn_ic_az`.",
        zones.own,
        (_given,),
    ),
    Check(
        "zone-unregistered",
        ERROR,
        _ZONE,
        "IC_SB has no zone with the name of the given one.",
        "Check that the zone's sync daemon runs, or register the zone with `ovn_ic_az`.",
        zones.own,
        (_given,),
    ),
    Check(
        "zone-name-taken",
        ERROR,
        _ZONE,
        "Another deployment has registered the name of the given zone.",
        "Give one of them another name. If the row belongs to this zone, claim it with `ovn_ic_az` (option `claim`).",
        zones.own,
        (_given,),
    ),
    Check(
        "deletions-withheld",
        WARNING,
        _ZONE,
        "The zone withholds deletions, because a database was replaced or rolled back.",
        "Restore the database, or release the deletions with `guard/release`. See [lost and restored databases](loss-and-restore.md).",
        zones.own,
        (_given,),
    ),
    Check(
        "northd-behind",
        ERROR,
        _ZONE,
        "ovn-northd of the zone has not copied the newest contents of NB to SB.",
        "Check that ovn-northd runs, and that its connections to NB and SB work.",
        zones.northd,
        (_given,),
    ),
    # -- the daemon --------------------------------------------------------------------------------------------------------------------
    Check(
        "daemon-silent",
        ERROR,
        _DAEMON,
        "The sync daemon does not answer on its control socket.",
        "Start the service `ovn-ic` of the zone, and see its log.",
        daemon.answers,
        (_asked,),
    ),
    Check(
        "daemon-paused",
        ERROR,
        _DAEMON,
        "The sync daemon is paused, so changes of the zone reach no other zone.",
        "Run `ovn-appctl -t ovn-ic resume`.",
        daemon.state,
        (_answers,),
    ),
    Check(
        "no-active-daemon",
        ERROR,
        _DAEMON,
        "The sync daemon stands by, and the zone has not confirmed the newest request: no other daemon of the zone is active.",
        "Find the process that holds the lock `ovn_ic` in SB, and restart it.",
        daemon.state,
        (_answers, _registered),
    ),
    Check(
        "daemon-disconnected",
        ERROR,
        _DAEMON,
        "The sync daemon is not connected to one of its databases.",
        "Check the server and the daemon's remote. The daemon's `skipped/show` gives the server's words.",
        daemon.state,
        (_answers,),
    ),
    Check(
        "database-unusable",
        ERROR,
        _DAEMON,
        "The sync daemon is connected to a database that it cannot use, for example because the server does not accept writes.",
        "Repair the server that the finding names.",
        daemon.state,
        (_answers,),
    ),
    Check(
        "object-skipped",
        WARNING,
        _DAEMON,
        "The sync daemon skips an object (`skipped/show`). The finding gives its reason.",
        "Correct the object that the finding names.",
        daemon.left_undone,
        (_answers,),
    ),
    Check(
        "guard-holds",
        WARNING,
        _DAEMON,
        "The sync daemon withholds changes (`guard/show`), because a database was replaced or rolled back.",
        "Restore the database, or release the changes with `guard/release`. See [lost and restored databases](loss-and-restore.md).",
        daemon.left_undone,
        (_answers,),
    ),
    Check(
        "write-rejected",
        ERROR,
        _DAEMON,
        "A server rejects what the sync daemon wants to write (`progress`).",
        "Correct the object that the server rejects.",
        daemon.left_undone,
        (_answers,),
    ),
    # -- servers -----------------------------------------------------------------------------------------------------------------------
    Check(
        "server-silent",
        ERROR,
        "database server",
        "A database server does not answer on its control socket.",
        "Start the server, and see its log.",
        servers.silent,
        (_sockets,),
    ),
    Check(
        "cluster-without-quorum",
        ERROR,
        "database server",
        "A cluster has no leader, because less than half of its members answer. Nothing can be written.",
        "Start the other members, or restore the cluster from one of them.",
        servers.clusters,
        (_servers,),
    ),
    Check(
        "cluster-member-lost",
        ERROR,
        "database server",
        "A server is not a member of its cluster.",
        "Let it join again with the role `ovn_ic_db`, or remove it.",
        servers.clusters,
        (_servers,),
    ),
    Check(
        "cluster-member-unreachable",
        WARNING,
        "database server",
        "A member of the cluster is not connected to the server that was asked.",
        "Start that server, or remove it from the cluster with `ovn_ic_cluster`.",
        servers.clusters,
        (_servers,),
    ),
    Check(
        "cluster-member-behind",
        WARNING,
        "database server",
        f"A member of the cluster is more than {servers.ENTRIES_BEHIND} log entries behind its leader. Only the leader can tell.",
        "Check the load, the disk and the network of that server.",
        servers.clusters,
        (_servers,),
    ),
    Check(
        "plain-tcp",
        WARNING,
        "connection",
        "A connection to a database is not encrypted, and its port is open to other hosts. Whoever reaches it can change all zones.",
        "Use `ssl:` remotes with certificates (roles `ovn_ic_db` and `ovn_ic_daemon`), or restrict access to the port.",
        servers.plain_tcp,
        (_remotes,),
    ),
    Check(
        "certificate-expiring",
        WARNING,
        "certificate",
        f"A certificate that the module uses has expired, or expires within {servers.EXPIRY_DAYS} days.",
        "Renew it with the role `ovn_ic_pki`.",
        servers.certificates,
        (_certificates,),
    ),
    Check(
        "json-parser-missing",
        WARNING,
        "host",
        "python-ovs has no JSON parser in C on this host, so large databases load many times slower.",
        "Install the package `python3-openvswitch` of the distribution.",
        servers.parser,
        (_parser,),
    ),
)
#: All checks by ID.
CHECKS = {check.id: check for check in _ALL}
