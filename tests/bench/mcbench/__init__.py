"""What the multicast benchmarks share: small networks, the programs compared, and figures with their goals."""
