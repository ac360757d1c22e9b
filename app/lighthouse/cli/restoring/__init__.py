"""What `lighthouse restore` does: compare a moment with the files on disk, show it, write it file by file."""
