"""The console's face: its templates and assets, and what makes an event, a file or a patch fit to be shown.

What is shown comes from agents and files. It reaches a page as text alone, and what hides in it is spelt out.
"""

from lighthouse.console.assets import ASSETS, Asset
from lighthouse.console.bell import Bell
from lighthouse.console.page import Pages
from lighthouse.console.seal import Seal

__all__ = ["ASSETS", "Asset", "Bell", "Pages", "Seal"]
