"""What is asked over HTTP: health, metrics, and the routers of later parts. Asks the store, formats the answer."""
