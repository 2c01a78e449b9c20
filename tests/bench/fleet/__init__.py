"""A made-up fleet as large as real ones, and a loopback API server that serves it as fast as bytes can be sent."""
