"""HTTP: the front ends, the routes and the runner between them."""
