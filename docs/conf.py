"""Sphinx settings. The site is built and read without a network."""

import sys
from configparser import RawConfigParser
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))

metadata = RawConfigParser()
metadata.read(HERE.parent / "setup.cfg")

project = "cluster_sim"
author = "the cluster_sim developers"
copyright = author
release = metadata["metadata"]["version"]

extensions = ["myst_parser", "mathml"]
myst_enable_extensions = ["dollarmath", "amsmath", "deflist", "colon_fence"]
myst_heading_anchors = 3
html_math_renderer = "mathml"

exclude_patterns = ["_build", "_ext"]
nitpicky = True
suppress_warnings = ["misc.highlighting_failure"]  # console blocks hold free text

html_theme = "furo"
html_title = "cluster_sim"
html_copy_source = False
html_show_sourcelink = False
