"""The documentation, done as it says."""
from pathlib import Path

stand_in_path = Path(__file__).with_name("stand_in.py")
