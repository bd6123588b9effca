"""The engine: asks sources about one person or company, wave by wave, and chooses among what they know.

It needs no database: lookups, rates and breakers are ports, with implementations in memory here.
"""
