"""Pages for an elder's family: is she well, how soon would we notice, what is being done; and what only a family can tell."""
