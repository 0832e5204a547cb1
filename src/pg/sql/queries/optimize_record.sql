INSERT INTO clickmatch_optimizations (statement, undo) VALUES (:'statement', :'undo');
