# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connect to each address of the command line, such as ``ssl:[2001:db8::1]:6647``, and print the results as JSON.

The result is empty if the connection was accepted, ``refused`` if the host answers without a listener, and otherwise the error.
"""

from __future__ import annotations

import errno
import json
import socket
import sys
from concurrent.futures import ThreadPoolExecutor

SECONDS = 3
#: A host that took over an address of another one is reached after its neighbours' ARP entries have expired, after about 8 s.
ATTEMPTS = 4


def attempt(target: str) -> str:
    """Connect to ``PROTOCOL:ADDRESS:PORT`` until the host answers; return the result as the module describes it."""
    address, _colon, port = target.partition(":")[2].rpartition(":")
    reason = ""
    for _attempt in range(ATTEMPTS):
        try:
            socket.create_connection((address.strip("[]"), int(port)), SECONDS).close()
        except ConnectionRefusedError:
            return "refused"
        except (TimeoutError, socket.timeout):
            reason = f"no answer within {ATTEMPTS * SECONDS} s"
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            if error.errno != errno.EHOSTUNREACH:
                return reason
        else:
            return ""
    return reason


def main() -> None:
    """Connect to all addresses in parallel."""
    targets = sys.argv[1:]
    with ThreadPoolExecutor(max_workers=max(len(targets), 1)) as pool:
        sys.stdout.write(json.dumps(dict(zip(targets, pool.map(attempt, targets)))))


if __name__ == "__main__":
    main()
