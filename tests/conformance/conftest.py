"""Where the modules of the other suites are found that this one uses."""
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS / folder) for folder in ("conformance", "histories", "api")]
