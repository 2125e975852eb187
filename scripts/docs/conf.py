# Copyright: the ovn.interconnect authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sphinx' configuration of the documentation that `make docs` builds from a copy of the checkout."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from docutils import nodes

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "ovn.interconnect"
author = "the ovn.interconnect authors"
extensions = ["myst_parser", "sphinx_antsibull_ext"]
include_patterns = ["index.rst", "*.md", "docs/**.md", "lab/README.md", "roles/*/README.md", "reference/**.rst"]
html_theme = "alabaster"
html_theme_options = {"page_width": "1100px", "sidebar_width": "260px"}
html_show_copyright = False
highlight_language = "text"

# Headings have the anchors that GitHub gives them, at each of the six levels.
myst_heading_anchors = 6
myst_enable_extensions = ["attrs_inline"]

ANCHOR = re.compile(r'<a id="([^"]+)"></a>')
LINK = re.compile(r"(\]\((?![a-z]+:)[^)\s#]*#)([^)\s]+)\)")

#: Pages of Ansible's documentation to which the reference of modules refers by a label.
ANSIBLE = {
    "ansible_configuration_settings": "https://docs.ansible.com/ansible/latest/reference_appendices/config.html",
    "common_return_values": "https://docs.ansible.com/ansible/latest/reference_appendices/common_return_values.html",
}


def identifier(anchor: str) -> str:
    """An anchor in small letters and without dots: Sphinx changes capitals, and takes a dot for a hyphen."""
    return anchor.lower().replace(".", "dot")


def read_anchors(_app: Sphinx, name: str, source: list[str]) -> None:
    """Turn the HTML anchors of a Markdown page into targets that Sphinx knows: a link to a missing one is a warning."""
    text = ANCHOR.sub(lambda found: f"[]{{#{identifier(found[1])}}}", source[0])
    source[0] = LINK.sub(lambda found: f"{found[1]}{identifier(found[2])})", text)


def refer_to_ansible(_app: Sphinx, _environment: object, reference: Any, content: Any) -> Any:
    """Resolve a label of Ansible's documentation."""
    address = ANSIBLE.get(reference["reftarget"])
    return nodes.reference("", "", content, refuri=address, internal=False) if address else None


def setup(app: Sphinx) -> None:
    """Register the hooks."""
    app.connect("source-read", read_anchors)
    app.connect("missing-reference", refer_to_ansible)
