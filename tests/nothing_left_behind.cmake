# Fails where FOLDER is not empty, and empties it: what one run left must not fail the next.
file(GLOB left RELATIVE ${FOLDER} ${FOLDER}/* ${FOLDER}/.*)
list(REMOVE_ITEM left . ..)
if(left)
  foreach(name IN LISTS left)
    file(REMOVE_RECURSE ${FOLDER}/${name})
  endforeach()
  message(FATAL_ERROR "tests left behind in the temporary folder: ${left}")
endif()
