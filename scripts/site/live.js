function startWalk() {}
