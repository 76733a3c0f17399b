"""What is worth keeping between processes: tokenizers read, vocabulary tables built.

- `arrays`: a file format for arrays, believed only when it is sound.
- `folder`: the folder for such files, bounded in bytes; what was used longest ago goes first.
- `later`: writing in the background, so that no mask waits for a disk.
- `program`: a digest of the files that make what is kept.

Nothing here knows what the arrays mean: whoever keeps some checks that they make sense to him.
"""

from .arrays import UnsoundFileError, read_file, write_file
from .folder import cache_dir, most_bytes, nothing_kept, read_kept, write_kept, write_kept_later
from .later import flush
from .program import program_digest

__all__ = [
    "UnsoundFileError",
    "cache_dir",
    "flush",
    "most_bytes",
    "nothing_kept",
    "program_digest",
    "read_file",
    "read_kept",
    "write_file",
    "write_kept",
    "write_kept_later",
]
