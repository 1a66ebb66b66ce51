"""Lets the tests of this folder import ``plain_cat_seg``."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
