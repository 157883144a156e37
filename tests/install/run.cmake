# run(COMMAND...): ends the test with the command's output where it fails; leaves standard output in `output`.
function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE failed OUTPUT_VARIABLE out ERROR_VARIABLE errors)
  if(failed)
    message(FATAL_ERROR "failed (${failed}): ${ARGN}\n${out}${errors}")
  endif()
  set(output "${out}" PARENT_SCOPE)
endfunction()

function(expect_in text)
  foreach(wanted IN LISTS ARGN)
    string(FIND "${text}" "${wanted}" at)
    if(at EQUAL -1)
      message(FATAL_ERROR "'${wanted}' is not in:\n${text}")
    endif()
  endforeach()
endfunction()

# Programs of README.md against a broker that each run gets anew; `with_broker` starts it.
function(run_the_readmes_programs with_broker produce consume)
  run(${with_broker} ${produce} -- ${consume})
  expect_in("${output}" "1000 records sent, 0 failed" "1000 records read")
endfunction()
