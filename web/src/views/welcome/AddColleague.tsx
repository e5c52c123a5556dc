import { TextInput } from '@mantine/core'
import { useState } from 'react'
import { api } from '../../api/client'
import { Act } from './Act'
import { rememberPassword } from './colleague'

/** Somebody who approves: whoever wrote a runbook or asked for a change has no vote on it. */
export function AddColleague() {
  const [username, setUsername] = useState('grace')
  const add = async () => {
    const { data } = await api.POST('/api/v1/users', { body: { username, roles: ['approver'] } })
    if (data) rememberPassword(username, data.one_time_password)
  }
  return (
    <Act label="Add them" act={add}>
      You imported the runbook, so somebody else has to agree to what it does. They get a one-time password, shown in the next step.
      <TextInput label="User name" value={username} onChange={(event) => setUsername(event.currentTarget.value)} maw={280} mt="xs" />
    </Act>
  )
}
