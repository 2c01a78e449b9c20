"""The investigator inside the server. It is a client of the tools as every other one, and asks a brain what to do
next.
"""
