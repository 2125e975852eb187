# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The subjects in the order of a pass. Imports are explicit, because Ansible ships to a target only the modules that it
can find statically.
"""

from __future__ import annotations

from ..engine.engine import Subject
from .address_sets import AddressSets
from .gateways import Gateways
from .held_keys import HeldKeys
from .ports import Ports
from .progress import Progress
from .router_ports import RouterPorts
from .routes.advertised_routes import AdvertisedRoutes
from .routes.learned_routes import LearnedRoutes
from .service_monitors import ServiceMonitors
from .transit_routers import TransitRouters
from .transit_switches import TransitSwitches
from .tunnel_keys import DatapathKeys, PortKeys
from .zones import Zones


def all_subjects() -> tuple[Subject, ...]:
    """New instances of all subjects, in the order of a pass (spec zones-0)."""
    datapath_keys, port_keys = DatapathKeys(), PortKeys()
    return (
        Zones(),
        Gateways(),
        HeldKeys(),
        TransitSwitches(datapath_keys),
        TransitRouters(datapath_keys),
        Ports(port_keys),
        RouterPorts(port_keys),
        AdvertisedRoutes(),
        LearnedRoutes(),
        ServiceMonitors(),
        AddressSets(),
        Progress(),
    )
