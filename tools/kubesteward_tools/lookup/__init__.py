"""How tools find what they are asked about: clusters, objects by whatever name, families, states, columns."""
