"""Measuring faxless: the fax generator, the scorer and the benchmarks. Not part of the distribution."""
