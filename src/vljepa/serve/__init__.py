"""The model as a service: REST, a WebSocket a live stream, and one page (``vljepa serve``)."""
