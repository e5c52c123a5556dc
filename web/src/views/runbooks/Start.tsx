import { Button, FileButton, Group, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { IconFileImport, IconFilePlus } from '@tabler/icons-react'
import { useState } from 'react'
import { api } from '../../api/client'
import { asProblem } from '../../api/problem'
import { fields, items, text } from '../../logic/json'
import { topLevel } from '../../logic/yamlPlace'
import { Outside } from '../../parts/Outside'
import { PlainTable } from '../../parts/PlainTable'
import { Section } from '../../parts/Section'
import { Note } from './Note'
import { SKELETON } from './skeleton'

/** The most the server takes, in bytes: `act::runbook::parse::MAX_BYTES`. */
const MOST_BYTES = 256 * 1024

interface Shipped {
  name: string
  yaml: string
}

/** The runbooks that ship, where the server has them to give: with the demo's hosts alone. */
function useShipped() {
  return useQuery({
    queryKey: ['/api/v1/demo-estate', 'runbooks'],
    queryFn: async (): Promise<Shipped[]> => {
      try {
        const call = api.GET as unknown as (path: string, init: object) => Promise<{ data: unknown }>
        const { data } = await call('/api/v1/demo-estate', {})
        return items(fields(data).runbooks)
          .map((one) => ({ name: text(fields(one).name), yaml: text(fields(one).yaml) }))
          .filter((one) => one.name !== '' && one.yaml !== '')
      } catch (error) {
        if (asProblem(error).status === 404) return []
        throw error
      }
    },
    retry: false,
  })
}

/** What a runbook can begin from. */
export function Start({ onStart }: { onStart: (yaml: string) => void }) {
  const shipped = useShipped()
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
      {shipped.data && shipped.data.length > 0 && (
        <Section title="Runbooks that ship">
          <PlainTable
            label="Runbooks that ship"
            rows={shipped.data}
            id={(one) => one.name}
            columns={[
              { name: 'Name', cell: (one) => <Outside>{one.name}</Outside> },
              { name: 'What it is for', cell: (one) => <Outside>{topLevel(one.yaml, 'description')}</Outside> },
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
        </Section>
      )}
    </Stack>
  )
}
