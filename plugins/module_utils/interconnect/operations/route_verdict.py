# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The answer to "is this prefix reachable": one verdict, and the path of the routes to it through the zones.

Works on the views of explain.py, one set for each zone whose databases are given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

View = Mapping[str, Any]
#: The views of one zone: ports, advertised, learned.
Views = Mapping[str, Sequence[View]]

_POLICY = "with ovn_ic_route_policy"
#: What to do about a reason that does not say so itself, by the words that it contains.
_FIXES = (
    ("ic-route-adv is off", f"turn it on {_POLICY} (advertise)"),
    ("ic-route-adv-default is off", f"turn it on {_POLICY} (advertise_default)"),
    ("ic-route-adv-lb is off", f"turn it on {_POLICY} (advertise_lb)"),
    ("ic-route-learn is off", f"turn it on {_POLICY} (learn)"),
    ("ic-route-learn-default is off", f"turn it on {_POLICY} (learn_default)"),
    ("ic-route-learn-lb is off", f"turn it on {_POLICY} (learn_lb)"),
    ("denied by", "remove the network from that list (ovn_ic_route_policy for the list of the zone)"),
    ("not in ic-route-filter", "add the network to that list"),
    ("its policy is src-ip", "add a static route with the policy dst-ip"),
    ("not advertised again", "attach the router to the transit switch on which the network is advertised"),
    ("where the router is not attached", "attach the router to that transit switch with ovn_ic_attachment"),
    ("no participating port", "attach the router to the transit switch with ovn_ic_attachment"),
    ("attached to a transit switch", "attach the router with ovn_ic_attachment"),
    ("load balancer VIP", "give the load balancer to another router, or advertise a more specific route"),
    ("own static route", "remove that static route, or deny the learned one with ovn_ic_route_policy (denylist)"),
    ("no address of that family", "add an address of that family to the port with ovn_ic_attachment (networks)"),
    ("takes precedence", "renumber one of the two networks, or deny one with ovn_ic_route_policy (denylist)"),
    ("no gateway holds port", "check that one of its gateway chassis is up; ovn_ic_doctor_info of its zone gives the cause"),
    ("is disabled", "enable it"),
    ("the tag", "change the tag of the route, or the rule for tags of the port"),
    ("is for route table", "set options:route_table of the port, or move the route to another table"),
    ("its router advertises nothing", "give the databases of that zone (option zones) for the reasons"),
)
#: The reason of a router that is not on the route's transit switch: it concerns no route in particular.
_ABSENT = "no participating port"
_NOWHERE = "correct the prefix, or add the network to a router that is attached to a transit switch"


class Verdict(NamedTuple):
    """Whether a prefix is reachable, why, and what to do if it is not."""

    reachable: bool
    because: str
    fix: str = ""


def refused(sentence: str) -> Verdict:
    """The verdict of a reason, which may have its advice after a semicolon."""
    cause, _semicolon, advice = sentence.partition("; ")
    return Verdict(False, cause, advice or next((fix for words, fix in _FIXES if words in cause), "see ovn_ic_doctor_info"))


def of_prefix(asked: str, routers: Sequence[str], own: str, zones: Mapping[str, Views], hints: Sequence[str]) -> Verdict:
    """The verdict about a prefix for the routers concerned: the first that does not reach it decides.

    ``zones``: the views of each zone, ``own`` the name of the zone that was asked. ``hints``: what IC_SB shows if no
    route leads there.
    """
    views = zones[own]
    verdicts = [_of_router(router, own, zones, hints) for router in routers] or [_nowhere(own, zones, hints)]
    owned = [view for view in views["advertised"] if not view["learned_again"] and not _is_default(view)]
    at_home = {str(view["router"]) for view in owned}
    if at_home & set(routers) and not any(view["accepted"] for view in views["learned"] if not _is_default(view)):
        return _exported(asked, own, owned, zones)
    return next((one for one in verdicts if not one.reachable), verdicts[0])


def _of_router(router: str, own: str, zones: Mapping[str, Views], hints: Sequence[str]) -> Verdict:
    mine = sorted((view for view in zones[own]["learned"] if view["router"] == router), key=_specific)
    accepted = [view for view in mine if view["accepted"]]
    used = [view for view in accepted if view["wins"]]
    for view in used:
        if not view["faults"]:
            return _used(view)
    for view in accepted:
        route = f"{router} learns {view['prefix']} from zone {view['zone']} on {view['transit_switch']}"
        if view["wins"]:
            words, _semicolon, advice = view["faults"][0].partition("; ")
            return refused(f"{route}, but {words}" + (f"; {advice}" if advice else ""))
        return refused(f"{route} and does not use it: {view['preferred']} takes precedence")
    for view in mine:
        if not _is_default(view) and _ABSENT not in view["reason"]:
            return refused(f"{router} does not learn {view['prefix']} of zone {view['zone']} on {view['transit_switch']}: {view['reason']}")
    verdict = _nowhere(own, zones, hints)
    for view in mine:
        if _is_default(view) and _ABSENT not in view["reason"]:
            words = f"{router} does not learn the default route of zone {view['zone']}: {view['reason']}"
            return verdict._replace(because=f"{verdict.because}; {words}")
    return verdict


def _used(view: View) -> Verdict:
    words = f"{view['router']} learns {view['prefix']} from zone {view['zone']} on {view['transit_switch']} and uses it"
    fix = ""
    if view["ecmp"]:
        words += f" together with {' and '.join(view['ecmp'])} (ECMP)"
        if any("own static route" in text for text in view["ecmp"]):
            fix = "set ic-route-strict-prefix, or remove one of the two routes"
    return Verdict(True, f"{words}, because no zone advertises the prefix itself" if _is_default(view) else words, fix)


def _exported(asked: str, own: str, owned: Sequence[View], zones: Mapping[str, Views]) -> Verdict:
    """The verdict about a network of the zone itself: whether other zones have a route to it."""
    accepted = [view for view in owned if view["accepted"]]
    for view in accepted:
        if view["caveats"]:
            return refused(f"{view['router']} advertises {view['prefix']} on {view['transit_switch']}, but {view['caveats'][0]}")
    for name, views in zones.items():
        for view in views["learned"] if name != own else ():
            if view["zone"] == own and not view["accepted"] and accepted:
                return refused(f"{view['router']} of zone {name} does not learn {view['prefix']}: {view['reason']}")
            if view["zone"] == own and view["accepted"] and not view["wins"]:
                return refused(f"{view['router']} of zone {name} does not use {view['prefix']}: {view['preferred']} takes precedence")
    if accepted:
        view = accepted[0]
        return Verdict(True, f"zone {own} has {asked}, and {view['router']} advertises {view['prefix']} on {view['transit_switch']}")
    view = owned[0]
    return refused(f"{view['router']} does not advertise {view['prefix']} on {view['transit_switch']}: {view['reason']}")


def _nowhere(own: str, zones: Mapping[str, Views], hints: Sequence[str]) -> Verdict:
    """No route leads there: the advertiser's reason if its databases are given, else what IC_SB shows."""
    for name, views in zones.items():
        for view in sorted(views["advertised"], key=_specific) if name != own else ():
            if not view["accepted"] and not _is_default(view) and not view["learned_again"]:
                place = f"{view['prefix']} of router {view['router']} on {view['transit_switch']}"
                return refused(f"zone {name} does not advertise {place}: {view['reason']}")
    if not hints:
        return Verdict(False, "no zone advertises a route to it", _NOWHERE)
    elsewhere = next((hint for hint in hints if "where the router is not attached" in hint), None)
    if elsewhere is not None:
        return Verdict(False, f"{hints[0]}: {elsewhere.replace(';', ',')}", refused(elsewhere.partition(";")[0]).fix)
    told = [hint for hint in hints[1:] if not hint.startswith("the nearest prefixes")]
    cause = refused(told[0]) if told else Verdict(False, "", _NOWHERE)
    near = [hint for hint in hints if hint.startswith("the nearest prefixes")]
    return Verdict(False, "; ".join(filter(None, [hints[0], cause.because, *near])), cause.fix)


def of_all(routers: Sequence[str], views: Views) -> Verdict:
    """The verdict without a prefix: whether every route of the other zones is learned and used."""
    if not views["ports"]:
        return refused(f"none of the routers concerned is attached to a transit switch ({', '.join(routers) or 'there is none'})")
    learned = views["learned"]
    wrong = [view for view in learned if not view["accepted"] or view["faults"] or not view["wins"]]
    if wrong:
        view = wrong[0]
        reason = view["reason"] or next(iter(view["faults"]), "") or f"{view['preferred']} takes precedence"
        words = f"{view['router']}, {view['prefix']} of zone {view['zone']} on {view['transit_switch']}: {reason}"
        return refused(f"{len(wrong)} of {len(learned)} routes of other zones are not learned or not used. The first is {words}")
    if not learned:
        return refused("no other zone advertises a route that concerns these routers; run ovn_ic_route_info in the other zones")
    advertised = sum(view["accepted"] for view in views["advertised"])
    return Verdict(True, f"all {len(learned)} routes of other zones are learned and used, and {advertised} routes are advertised")


def path(zones: Mapping[str, Views], published: Sequence[View], unknown: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The steps of the routes through the zones: who advertises or not, what IC_SB has, who learns and uses it or not.

    ``unknown``: zones on the transit switches concerned whose databases are not given.
    """
    for name, views in zones.items():
        for view in views["advertised"]:
            yield _step("advertise", name, view, view["router"], view["accepted"], view["reason"])
    for view in published:
        yield _step("ic_sb", view["zone"], view, "", True, "")
    for name, views in zones.items():
        for view in views["learned"]:
            yield {
                **_step("learn", name, view, view["router"], view["accepted"], view["reason"]),
                "wins": view["wins"],
                "preferred": view["preferred"],
                "ecmp": view["ecmp"],
                "faults": view["faults"],
            }
    for name in unknown:
        blank = {"transit_switch": "", "prefix": "", "next_hop": "", "route_table": ""}
        yield _step("learn", name, blank, "", None, f"give the databases of zone {name} (option zones) to see its decisions")


def _step(step: str, zone: str, view: View, router: str, done: bool | None, reason: str) -> dict[str, Any]:
    place = {key: view[key] for key in ("transit_switch", "prefix", "next_hop", "route_table")}
    extra: dict[str, Any] = {"wins": None, "preferred": "", "ecmp": [], "faults": []}
    return {"step": step, "zone": zone, "router": router, **place, "done": done, "reason": reason, **extra}


def _is_default(view: View) -> bool:
    return str(view["prefix"]).endswith("/0")


def _specific(view: View) -> int:
    """The sort key that puts the longest prefix first."""
    return -int(str(view["prefix"]).rpartition("/")[2] or 0)
