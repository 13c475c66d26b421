"""Suffixes, in lower case, by which videos and images are found in folders."""

VIDEOS = {".3gp", ".asf", ".avi", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".ogv"}
VIDEOS |= {".ts", ".vob", ".webm", ".wmv"}
IMAGES = {".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}
