"""What makes the pages and pictures of the documentation, and the demonstration."""

from pathlib import Path

PROJECT = Path(__file__).parent.parent
