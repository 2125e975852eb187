# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The four databases of one zone, and look-ups that several subjects share.

Look-ups see committed rows only. The effect of an own Change is not visible until the server has confirmed it. Until
then its key waits (see engine.py), so that no subject plans with rows that may never exist.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple
from uuid import uuid4

from .ovsdb.columns import ServerSchema
from .ovsdb.store import Row, Store
from .settings import ZoneOptions
from .tables import DATABASES, IC_NB, IC_SB, NB, SB

#: Keys of NB_Global.external_ids that hold the zone's identity (docs/loss-and-restore.md). They are the only contents
#: that upstream does not write.
TOKEN_KEY = "ovn-interconnect-token"
ZONE_KEY = "ovn-interconnect-zone"
IC_NB_KEY = "ovn-interconnect-ic-nb"
IC_SB_KEY = "ovn-interconnect-ic-sb"
#: Key prefix of NB_Global.external_ids: the SB chassis of that name is a copy of another zone's gateway, created by an
#: ovn-ic.
COPY_PREFIX = "ovn-interconnect-copy-"
SB_KEY = "ovn-interconnect-sb"
#: The identities of the other databases are stored in NB, so for NB itself only the reason of a hold can be stored.
NB_KEY = "ovn-interconnect-nb"
#: The suffix that these four keys get to form the key of the reason of a hold.
HOLD = "-hold"
#: Keys of Logical_Switch.external_ids and Logical_Router.external_ids. OWNER_KEY: this interconnect created the object.
#: ADOPTED_KEY: another program created it, and this interconnect uses it. Both have the transit switch's or router's
#: name as their value. ROW_KEY: the UUID of the object's IC_NB row, by which a rename is recognized.
OWNER_KEY = "ovn-interconnect"
ADOPTED_KEY = "ovn-interconnect-adopted"
ROW_KEY = "ovn-interconnect-row"
#: Key of Transit_Switch.external_ids and Transit_Router.external_ids in IC_NB: the tunnel key of its datapath. It
#: preserves the key after a loss of IC_SB, even if the first zone that inserts the datapath again does not know the
#: key.
KEY_NOTE = "ovn-interconnect-tunnel-key"
#: Key prefix of IC_SB_Global.external_ids: the token of the zone that claims the Availability_Zone row with the UUID
#: that follows.
CLAIM_PREFIX = "ovn-interconnect-claim-"


#: Key prefix of IC_SB_Global.external_ids: a tunnel key that a zone holds (subjects/held_keys.py).
HELD_PREFIX = "ovn-interconnect-held-"


def _name(row: Row) -> Iterable[Hashable]:
    return (row["name"],)


def _options(nb_global: Row | None) -> ZoneOptions:
    return ZoneOptions.read(nb_global["options"] if nb_global is not None else {})


class _Identity(NamedTuple):
    """The identity in a zone's own rows."""

    nb_global: Row | None
    options: ZoneOptions
    own_az: Row | None


class Facts(NamedTuple):
    """The inputs of the subjects that are not rows.

    A changed fact is an event like a changed row. Only the caller of the subjects replaces the facts of a zone: the
    engine, or a module that plans with a single subject.
    """

    #: The UUID of the zone's Availability_Zone row, None if it has none.
    own_zone: str | None = None
    #: Whether this process holds the lock ``ovn_ic_sb``. Shared rows of IC_SB may be planned only while it does.
    shared_lock: bool = False
    #: The number of IC_NB.nb_ic_cfg that this zone may confirm (spec status-E.2), None before the first request.
    confirmable: int | None = None
    #: Whether tunnel keys that NB requests take precedence over those that IC_SB assigns, because IC_SB may have been
    #: replaced. The guard decides it.
    keeps_keys: bool = False
    #: Changes with every new schema of a server.
    schemas: int = 0
    #: Entries about the global databases to write to NB_Global.external_ids, by key (None: remove). The guard has them
    #: until they are written.
    notes: Mapping[str, str | None] = MappingProxyType({})
    #: Transit switches and routers that this process has seen in IC_NB: the table and the name.
    seen: frozenset[tuple[str, str]] = frozenset()
    #: Whether this process continues the work of a daemon that stores no identity, such as upstream's: the zone was
    #: registered, its row was unclaimed, and the zone did not know the row's UUID. None until the registration was
    #: checked.
    took_over: bool | None = None
    #: The UUID of the Availability_Zone row that an operator has confirmed to be ours, regardless of other evidence,
    #: until we own it.
    granted: str | None = None
    #: The token that this process writes for the zone if the zone has none yet.
    new_token: str = ""


@dataclass
class Zone:
    """The stores of one availability zone and of the two global databases, and the facts that belong to them."""

    nb: Store
    sb: Store
    ic_nb: Store
    ic_sb: Store
    facts: Facts = field(default_factory=lambda: Facts(new_token=str(uuid4())))
    #: Cached; dropped when one of its tables changes.
    _identity: _Identity | None = None

    def __post_init__(self) -> None:
        self.nb.watch("NB_Global", self._forget_identity)
        for table in ("Availability_Zone", "IC_SB_Global"):
            self.ic_sb.watch(table, self._forget_identity)
        for store, tables in (
            (self.nb, ("Logical_Switch", "Logical_Switch_Port", "Logical_Router", "Logical_Router_Port", "Address_Set")),
            (self.sb, ("Chassis", "Address_Set")),
            (self.ic_nb, ("Transit_Switch", "Transit_Switch_Port", "Transit_Router", "Transit_Router_Port")),
            (self.ic_sb, ("Availability_Zone", "Gateway", "Address_Set")),
        ):
            for table in tables:
                store.index(table, "name", _name)
        self.sb.index("Port_Binding", "logical_port", lambda row: (row["logical_port"],))
        self.ic_sb.index("Port_Binding", "logical_port", lambda row: (row["logical_port"],))

    @classmethod
    def simulated(cls, schemas: Mapping[str, ServerSchema] | None = None) -> Zone:
        """A zone with empty stores and no server, for tests. Databases without a given schema have every table and
        column.
        """
        stores = {name: Store(database, (schemas or {}).get(name)) for name, database in DATABASES.items()}
        return cls(stores[NB], stores[SB], stores[IC_NB], stores[IC_SB])

    @property
    def stores(self) -> list[Store]:
        """The four stores in the order in which a pass commits: NB, SB, IC_NB, IC_SB."""
        return [self.nb, self.sb, self.ic_nb, self.ic_sb]

    def store(self, database: str) -> Store:
        """The store of a database by its OVSDB name."""
        return {store.name: store for store in self.stores}[database]

    # -- identity --------------------------------------------------------------------------------------------------------------------

    def _forget_identity(self) -> None:
        self._identity = None

    @property
    def identity(self) -> _Identity:
        """The zone's own rows. Cached until one of their tables changes, because every key needs them."""
        known = self._identity
        if known is None:
            row = self.nb.only("NB_Global")
            known = self._identity = _Identity(row, _options(row), self._find_az(row))
        return known

    @property
    def nb_global(self) -> Row | None:
        """The NB_Global row."""
        return self.identity.nb_global

    @property
    def name(self) -> str:
        """NB_Global.name: the desired name of this zone, empty if it is not set."""
        row = self.nb_global
        return row["name"] if row is not None else ""

    @property
    def options(self) -> ZoneOptions:
        """The zone's options, read from NB_Global.options; all defaults if there is no row."""
        return (self._identity or self.identity).options

    @property
    def token(self) -> str | None:
        """The token that proves that an Availability_Zone row belongs to this zone; None until it was written."""
        row = self.nb_global
        return row["external_ids"].get(TOKEN_KEY) if row is not None else None

    @property
    def own_az(self) -> Row | None:
        """Our Availability_Zone row. None while the zone has no name, is not registered, or its name belongs to another
        deployment.

        It is the row that our token claims and whose UUID the zone remembers, so that a new name is recognized as a
        rename, also after a restart.
        """
        return (self._identity or self.identity).own_az

    def _find_az(self, nb_global: Row | None) -> Row | None:
        if nb_global is None or not nb_global["name"]:
            return None
        ids = nb_global["external_ids"]
        az = self.ic_sb.row("Availability_Zone", ids.get(ZONE_KEY))
        return az if az is not None and self.claimed_by(az) in (None, ids.get(TOKEN_KEY)) else None

    def claimed_by(self, az: Row) -> str | None:
        """The token that claims an Availability_Zone row, None if it is unclaimed."""
        row = self.ic_sb.only("IC_SB_Global")
        token: str | None = row["external_ids"].get(CLAIM_PREFIX + az.uuid) if row is not None else None
        return token

    def az_name(self, uuid: str) -> str:
        """The name of an Availability_Zone row, or its UUID if there is no such row."""
        row = self.ic_sb.row("Availability_Zone", uuid)
        return row["name"] if row is not None else uuid

    def is_own(self, row: Row) -> bool:
        """Whether an IC_SB row with the column availability_zone belongs to this zone."""
        az = self.own_az
        return az is not None and row["availability_zone"] == az.uuid

    # -- objects of the zone ---------------------------------------------------------------------------------------------------------

    def chassis(self, name: str) -> Row | None:
        """SB Chassis by name."""
        return self.sb.first("Chassis", "name", name)

    def port_binding(self, logical_port: str) -> Row | None:
        """SB Port_Binding by logical port."""
        return self.sb.first("Port_Binding", "logical_port", logical_port)

    def switch_port(self, name: str) -> Row | None:
        """NB Logical_Switch_Port by name."""
        return self.nb.first("Logical_Switch_Port", "name", name)

    def router_port(self, name: str) -> Row | None:
        """NB Logical_Router_Port by name."""
        return self.nb.first("Logical_Router_Port", "name", name) if name else None
