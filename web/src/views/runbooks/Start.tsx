import { Button, FileButton, Group, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { IconFileImport, IconFilePlus } from '@tabler/icons-react'
import { useState } from 'react'
import { get } from '../../api/queries'
import { Outside } from '../../parts/Outside'
import { PlainTable } from '../../parts/PlainTable'
import { Section } from '../../parts/Section'
import { Loaded } from '../../parts/State'
import { Note } from './Note'
import { SKELETON } from './skeleton'

/** The most the server takes, in bytes: `act::runbook::parse::MAX_BYTES`. */
const MOST_BYTES = 256 * 1024

/** What a runbook can begin from. */
export function Start({ onStart }: { onStart: (yaml: string) => void }) {
  const shipped = useQuery(get('/api/v1/runbooks/shipped'))
  const [fault, setFault] = useState<string>()
  const read = async (file: File | null) => {
    if (!file) return
    if (file.size > MOST_BYTES) {
      const [has, most] = [file.size, MOST_BYTES].map((bytes) => bytes.toLocaleString('en'))
      setFault(`${file.name} has ${has} bytes; at most ${most} are taken.`)
      return
    }
    onStart((await file.text()).replaceAll('\r\n', '\n'))
  }
  return (
    <Stack gap="md">
      <Section title="Begin">
        <Text size="sm" mb="sm">
          The example is a whole runbook with a remark at each part: change it into yours. It is a draft, so no alert
          asks for it.
        </Text>
        <Group gap="xs">
          <Button leftSection={<IconFilePlus size={16} />} onClick={() => onStart(SKELETON)}>From the example</Button>
          <FileButton accept=".yaml,.yml,application/yaml,text/yaml" onChange={(file) => void read(file)}>
            {(props) => (
              <Button {...props} variant="default" leftSection={<IconFileImport size={16} />}>From a file…</Button>
            )}
          </FileButton>
          <Button variant="default" onClick={() => onStart('')}>From nothing</Button>
        </Group>
        {fault && <Note color="red" title="This file is not taken"><Outside>{fault}</Outside></Note>}
      </Section>
      <Section title="Runbooks that ship">
        <Loaded query={shipped} rows={4}>
          {(found) => (
            <PlainTable
              label="Runbooks that ship"
              rows={found}
              id={(one) => one.name}
              columns={[
                { name: 'Name', cell: (one) => <Outside>{one.name}</Outside> },
                { name: 'What it is for', cell: (one) => <Outside>{one.description}</Outside> },
                {
                  name: 'Begin',
                  cell: (one) => (
                    <Button
                      size="compact-sm" variant="default" onClick={() => onStart(one.yaml)}
                      aria-label={`From ${one.name}`}
                    >
                      From this
                    </Button>
                  ),
                },
              ]}
            />
          )}
        </Loaded>
      </Section>
    </Stack>
  )
}
