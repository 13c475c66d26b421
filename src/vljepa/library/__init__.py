"""A folder of videos and images, searched by text: ``Library``."""

from vljepa.library.embedder import Embedder as Embedder
from vljepa.library.index import IndexReport as IndexReport
from vljepa.library.library import Hit as Hit
from vljepa.library.library import Library as Library
