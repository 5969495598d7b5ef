"""Foreign peers: routers and Linux hosts at the far end of the box's unsealed tunnels, written from the documents."""
