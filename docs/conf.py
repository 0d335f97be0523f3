"""Sphinx settings. The site is built and read without a network."""

import sys
from configparser import RawConfigParser
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "_ext"), str(HERE.parent)]

metadata = RawConfigParser()
metadata.read(HERE.parent / "setup.cfg")

project = "cluster_sim"
author = "the cluster_sim developers"
copyright = author
release = metadata["metadata"]["version"]

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "figures", "mathml"]
myst_enable_extensions = [
    "attrs_block",
    "attrs_inline",
    "dollarmath",
    "amsmath",
    "deflist",
    "colon_fence",
]
myst_heading_anchors = 3
html_math_renderer = "mathml"

exclude_patterns = ["_build", "_ext", "_make"]
nitpicky = True
suppress_warnings = [
    "misc.highlighting_failure",  # console blocks hold free text
    "ref.python",  # a type in words, such as "Task", that two modules have a class for
]

# The docstrings say the types, in words; types are no links, so there is nothing to resolve.
add_module_names = False
autodoc_typehints = "none"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_mock_imports = [
    name for name in ("distributed", "gymnasium", "ortools", "pandas") if find_spec(name) is None
]
napoleon_google_docstring = False
napoleon_use_param = False
napoleon_use_rtype = False
napoleon_use_ivar = True
# Errors are named without their module in docstrings, and are on the page of the errors.
nitpick_ignore_regex = [("py:exc", r".*"), ("py:class", r"(?!cluster_sim\.).*"), ("py:obj", r".*")]

html_theme = "furo"
html_title = "cluster_sim"
html_copy_source = False
html_show_sourcelink = False
html_static_path = ["_static"]
html_css_files = ["site.css"]
