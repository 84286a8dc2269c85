"""The switchboard: what it knows of live calls, how it rings seats, and how it writes before it acts.

core      one ordered dispatch of what the engine reports; a line of work for each call
state     live calls, parties, seats: plain memory
inbound   who calls in, and what she hears          acd      which seat rings
seats     how seats stand                           parties  transfer, conference, supervision
outbound  calls from the desk and by jobs           verbs    what people ask for
rows      the SQL of each step                      pen      many steps, one commit, before anything rings
teller    the news, after the ring                  resync   what is true after a restart
scripting what a script (robot call, menu) may use  watch    the second process that frees held calls
"""
